import type { Clock } from '../core/clock.ts';
import type { HostError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Secret } from '../core/secret.ts';
import type { ObjectOwnership } from '../s3/index.ts';
import type { ListenAddress } from './address.ts';
import type { ListenerLimits } from './listener.ts';
import type { TlsFiles } from './tls.ts';

export interface RootCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

export interface ServerOptions {
  readonly listen: ListenAddress;
  /** Health and metrics. */
  readonly adminListen: ListenAddress;
  /** The data directory. */
  readonly data: string;
  readonly region: string;
  /** Takes requests signed for any region, as MinIO without a region does. Default: only those for `region`. */
  readonly anyRegion?: boolean | undefined;
  /** Made before the first request is taken, the root principal's, where they are missing. */
  readonly buckets?: readonly string[] | undefined;
  readonly rootCredentials: RootCredentials;
  /** `relaxed` acknowledges writes before the disk has them. Default `strict`. */
  readonly durability?: 'strict' | 'relaxed';
  /** Milliseconds after which an upload that was not completed is aborted. Default 7 days. */
  readonly abandonedUploadAge?: number;
  /** Milliseconds that a day of a lifecycle rule takes. For tests; default: a real one. */
  readonly lifecycleDay?: number;
  /**
   * How many processes answer requests. Default 1: the calling one. With more, the calling one takes connections, looks
   * after the data directory and answers on the admin port, and starts the others from the compiled package.
   */
  readonly processes?: number;
  /** Of buckets that are made without saying. Default `BucketOwnerEnforced`. */
  readonly objectOwnership?: ObjectOwnership | undefined;
  /** What the secrets of users are encrypted with. Default: users.key of the data directory. */
  readonly serverKey?: Secret | undefined;
  /** PEM files for the S3 address; read again when they change. Default: plain HTTP. The admin address stays plain. */
  readonly tls?: TlsFiles | undefined;
  /** Buckets are also reached as `<bucket>.<domain>`. */
  readonly domain?: string | undefined;
  readonly logger?: Logger;
  /** Only with one process. */
  readonly clock?: Clock;
  readonly limits?: Partial<ListenerLimits>;
  /** Milliseconds that requests under way get at shutdown. Default 10,000. */
  readonly drainMs?: number;
}

export interface RunningServer {
  readonly url: string;
  readonly adminUrl: string;
  /**
   * Resolves when the disk has failed under the index so that this process can serve no more; otherwise never. The
   * process should end, in whatever way, and be started again: what was acknowledged is there.
   */
  readonly broken: Promise<HostError>;
  /** Drains, then closes the store. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/** The name that the root key acts under, and that owns what it makes. */
export const ROOT_PRINCIPAL = 'root';
