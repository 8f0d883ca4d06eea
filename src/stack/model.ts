import { MINUTE, SECOND } from '../core/durations.ts';
import { type Connection, resolveConnection } from '../providers/index.ts';
import type { BucketTarget, Settings } from '../settings/index.ts';

/** Where the programs of the stack find an S3 API. */
export interface StoreTarget {
  /** `https://host[:port]`, for our own commands. */
  readonly url: string;
  /** `host[:port]`: Loki's and Tempo's client refuses a scheme. */
  readonly authority: string;
  /** Plain http. */
  readonly insecure: boolean;
  /** Never empty: with an empty one, the client asks the server for it with a call that keys may not be allowed. */
  readonly region: string;
  readonly pathStyle: boolean;
  /** For comments: `Hetzner Object Storage`. */
  readonly title: string;
}

/** What every rendered file is made from. */
export interface StackModel {
  readonly store: StoreTarget;
  readonly loki: BucketTarget;
  readonly tempo: BucketTarget;
  /** Milliseconds. */
  readonly retention: { readonly logs: number; readonly traces: number };
  readonly outageMode: Settings['outageMode'];
}

/** `minio` of docker-compose.s3.yml or docker-compose.s3-embedded.yml: what S3 means as long as no setting says. */
export const localStore: StoreTarget = {
  url: 'http://minio:9000',
  authority: 'minio:9000',
  insecure: true,
  region: 'us-east-1',
  pathStyle: true,
  title: 'the S3 service of this compose project',
};

/**
 * The model for these settings. Without S3 settings the S3 variants of the files mean the compose project's own S3
 * service.
 * @throws SettingsError when S3_PROVIDER names no profile
 */
export function stackModel({ storage, buckets, retention, outageMode }: Settings): StackModel {
  const store = storage.kind === 'filesystem' ? localStore : storeTarget(resolveConnection(storage));
  return { store, loki: buckets.loki, tempo: buckets.tempo, retention, outageMode };
}

function storeTarget({ endpoint, region, forcePathStyle, provider }: Connection): StoreTarget {
  return {
    url: endpoint.url,
    authority: endpoint.authority,
    insecure: endpoint.scheme === 'http',
    region,
    pathStyle: forcePathStyle,
    title: provider.title,
  };
}

/** As Go's `time.ParseDuration` reads it, which knows no days: `744h`, `25h30m`. Below a second there is nothing. */
export function goDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / SECOND);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / (MINUTE / SECOND));
  const rest = seconds % 60;
  const text = `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${rest > 0 ? `${rest}s` : ''}`;
  return text === '' ? '0s' : text;
}
