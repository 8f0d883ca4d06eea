import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { createAdminHandler } from './admin.ts';
import { makeBuckets } from './buckets.ts';
import { foldNoAllocations } from './compiler.ts';
import { listenForS3 } from './front.ts';
import { startGroup } from './group.ts';
import { DEFAULT_LIMITS, listen } from './listener.ts';
import { type MeasuredStore, openMeasuredStore } from './measured-store.ts';
import type { RunningServer, ServerOptions } from './options.ts';

export type { ListenAddress } from './address.ts';
export { ROOT_PRINCIPAL, type RootCredentials, type RunningServer, type ServerOptions } from './options.ts';

/**
 * The embedded, single-node S3 server on a data directory.
 * @throws HostError `address-in-use`, `permission`, `data-directory-held`, `data-directory-format`
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  foldNoAllocations();
  if (options.processes !== undefined && options.processes > 1) return startGroup(options, options.processes);
  const measured = await openMeasuredStore(options, undefined);
  try {
    return await serve(options, measured);
  } catch (error) {
    await measured.store.close();
    throw error;
  }
}

async function serve(options: ServerOptions, { store, metrics, broken }: MeasuredStore): Promise<RunningServer> {
  const logger = options.logger ?? silentLogger;
  const clock = options.clock ?? systemClock;
  await makeBuckets(store, options);
  let closing: Promise<void> | undefined;
  const draining = () => closing !== undefined;
  const s3 = await listenForS3(options, { store, logger, clock, metrics, draining });
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const adminHandler = createAdminHandler(store, metrics.scrape, draining);
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
    broken,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
