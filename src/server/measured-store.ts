import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { type LocalStore, type LocalStoreOptions, openLocalStore } from '../store/index.ts';
import { createMetrics, type ServerMetrics } from './metrics.ts';
import type { ServerOptions } from './options.ts';

/**
 * The store of this process, and the metrics that its commits are counted in.
 * @throws HostError `data-directory-held`, `data-directory-format`
 */
export async function openMeasuredStore(
  options: ServerOptions,
  group: LocalStoreOptions['group'],
): Promise<{ readonly store: LocalStore; readonly metrics: ServerMetrics }> {
  const holder: { store?: LocalStore } = {};
  const metrics = createMetrics(() => {
    if (holder.store === undefined) throw new TypeError('the store is not open yet');
    return holder.store;
  });
  const store = await openLocalStore({
    directory: options.data,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    durable: options.durability !== 'relaxed',
    observeCommit: metrics.observeCommit,
    observeLifecycle: metrics.observeLifecycle,
    ...(options.lifecycleDay !== undefined && { lifecycleDay: options.lifecycleDay }),
    ...(group !== undefined && { group }),
    ...(options.abandonedUploadAge !== undefined && { abandonedUploadAge: options.abandonedUploadAge }),
  });
  holder.store = store;
  return { store, metrics };
}
