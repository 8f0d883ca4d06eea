import type { Connection } from '../../providers/index.ts';
import type { BucketTarget } from '../../settings/index.ts';

/** What the end-to-end proof is told. */
export interface VerifyInput {
  /** `http://127.0.0.1:3100`, without a slash at the end; so are the other two. */
  readonly loki: string;
  readonly tempo: string;
  /** Where traces are sent, OTLP over HTTP: a collector's address, or Tempo's own. */
  readonly otlp: string;
  /** Sent as X-Scope-OrgID; undefined: one tenant, as the rendered files have it. */
  readonly tenant: string | undefined;
  /** Undefined: no S3 setting, so the programs keep their objects on the disk. */
  readonly connection: Connection | undefined;
  readonly buckets: { readonly loki: BucketTarget; readonly tempo: BucketTarget };
  /** Milliseconds that new objects may take. */
  readonly wait: number;
}

export const tenantHeader = ({ tenant }: VerifyInput): Readonly<Record<string, string>> =>
  tenant === undefined ? {} : { 'x-scope-orgid': tenant };
