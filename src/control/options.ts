import type { ArtifactStore } from '../artifacts/index.ts';
import type { Logger } from '../core/logger.ts';
import type { AdmissionOptions } from './admission.ts';

export interface ApiOptions extends AdmissionOptions {
  readonly store: (tenant: string | undefined) => ArtifactStore;
  /** Whether uploads can be granted and links made: the S3 key must then be allowed to write. */
  readonly writes: boolean;
  readonly log: Logger;
}
