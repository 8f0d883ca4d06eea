import type { KeyObject } from 'node:crypto';
import type { FileInProgress } from '../fs/file-in-progress.ts';
import { contentRanges, readContent } from './content.ts';
import type { Artifact, Entry } from './model.ts';
import type { Reference } from './names.ts';
import type { Place } from './place.ts';
import { resolve } from './read.ts';
import { saveRanges } from './save.ts';
import { envelopes, requireSignature } from './statements.ts';

/** What a reference meant, wherever it was asked. */
export interface Found {
  readonly artifact: Artifact;
  /** Where a channel led here. */
  readonly entry: Pick<Entry, 'number' | 'action' | 'version' | 'at' | 'by' | 'reason'> | undefined;
  /** What the source wants to hear when it is asked for something else than this. */
  readonly tag?: string | undefined;
}

/** Where artifacts are read from: S3 itself, or the HTTP API for who has no keys. All check what they read. */
export interface ArtifactSource {
  /**
   * What a reference means now. With patience it may answer only when that is something else than what is known, or after
   * so many milliseconds; S3 cannot wait and answers at once.
   */
  resolve(reference: Reference, patience?: Patience): Promise<Found>;
  /** The content, checked, in borrowed pieces (`readRanges`). */
  read(artifact: Artifact, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** Puts the content into a file and checks it (`saveRanges`). */
  save(artifact: Artifact, file: FileInProgress, options?: SaveOptions): Promise<void>;
  /** @throws ArtifactError `signature` unless one of the keys has signed it */
  requireSignature(artifact: Artifact, keys: readonly KeyObject[]): Promise<readonly string[]>;
}

export interface SaveOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface Patience {
  readonly known: Found;
  readonly milliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

export function sourceOf(place: Place): ArtifactSource {
  return {
    resolve: (reference) => resolve(place, reference),
    read: (artifact, signal) => readContent(place, artifact, signal),
    save: (artifact, file, { signal, onProgress } = {}) =>
      saveRanges(contentRanges(place, artifact, signal), file, onProgress),
    requireSignature: (artifact, keys) => requireSignature(envelopes(place, artifact), artifact, keys),
  };
}
