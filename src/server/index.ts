import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, systemClock } from '../core/clock.ts';
import { type Logger, silentLogger } from '../core/logger.ts';
import type { Secret } from '../core/secret.ts';
import { createS3Service } from '../s3/service.ts';
import { type ObjectStore, openLocalStore, StoreError } from '../store/index.ts';
import { createAdminHandler } from './admin.ts';
import { withHealthPaths } from './health.ts';
import { DEFAULT_LIMITS, type ListenAddress, type ListenerLimits, listen } from './listener.ts';
import { createMetrics } from './metrics.ts';

export type { ListenAddress } from './listener.ts';

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
  /** Buckets are also reached as `<bucket>.<domain>`. */
  readonly domain?: string | undefined;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly limits?: Partial<ListenerLimits>;
  /** Milliseconds that requests under way get at shutdown. Default 10,000. */
  readonly drainMs?: number;
}

export interface RunningServer {
  readonly url: string;
  readonly adminUrl: string;
  /** Drains, then closes the store. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/** The name that the root key acts under, and that owns what it makes. */
export const ROOT_PRINCIPAL = 'root';

/**
 * The embedded, single-node S3 server on a data directory.
 * @throws HostError `address-in-use`, `permission`, `data-directory-held`, `data-directory-format`
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const logger = options.logger ?? silentLogger;
  const clock = options.clock ?? systemClock;
  const holder: { store?: ObjectStore } = {};
  const metrics = createMetrics(() => {
    if (holder.store === undefined) throw new TypeError('the store is not open yet');
    return holder.store;
  });
  const store = await openLocalStore({
    directory: options.data,
    clock,
    logger,
    durable: options.durability !== 'relaxed',
    observeCommit: metrics.observeCommit,
    ...(options.abandonedUploadAge !== undefined && { abandonedUploadAge: options.abandonedUploadAge }),
  });
  holder.store = store;
  try {
    return await serve(options, { store, logger, clock, metrics });
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Parts {
  readonly store: ObjectStore;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: ReturnType<typeof createMetrics>;
}

async function serve(options: ServerOptions, { store, logger, clock, metrics }: Parts): Promise<RunningServer> {
  const { accessKeyId, secretAccessKey } = options.rootCredentials;
  await makeBuckets(store, options);
  const service = createS3Service({
    store,
    region: options.region,
    anyRegion: options.anyRegion,
    domain: options.domain,
    clock,
    logger,
    credentials: {
      find: (asked) => (asked === accessKeyId ? { secret: secretAccessKey, principal: ROOT_PRINCIPAL } : undefined),
    },
    observe: metrics.observeRequest,
  });
  const counted = (req: IncomingMessage, res: ServerResponse) => {
    metrics.requestStarted();
    res.once('close', metrics.requestEnded);
    service(req, res);
  };
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  let closing: Promise<void> | undefined;
  const draining = () => closing !== undefined;
  const handler = withHealthPaths(counted, { store, domain: options.domain, draining });
  const s3 = await listen(options.listen, handler, limits);
  const adminHandler = createAdminHandler(store, metrics, draining);
  const admin = await listen(options.adminListen, adminHandler, limits).catch(async (error: unknown) => {
    await s3.drain(0);
    throw error;
  });
  const close = async () => {
    await s3.drain(options.drainMs ?? 10_000);
    await admin.drain(1000);
    await store.close();
  };
  return {
    url: s3.url,
    adminUrl: admin.url,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function makeBuckets(store: ObjectStore, { buckets = [], region }: ServerOptions): Promise<void> {
  for (const name of buckets) {
    try {
      await store.createBucket({ name, owner: ROOT_PRINCIPAL, region });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'bucket-exists')) throw error;
    }
  }
}
