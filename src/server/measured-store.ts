import { systemClock } from '../core/clock.ts';
import { HostError } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import { type LocalStore, type LocalStoreOptions, openLocalStore } from '../store/index.ts';
import { createMetrics, type ServerMetrics } from './metrics.ts';
import type { ServerOptions } from './options.ts';

export interface MeasuredStore {
  readonly store: LocalStore;
  readonly metrics: ServerMetrics;
  /** Resolves when the disk has failed under the index, which only a new process can open again; otherwise never. */
  readonly broken: Promise<HostError>;
}

/**
 * The store of this process, and the metrics that its commits are counted in.
 * @throws HostError `data-directory-held`, `data-directory-format`
 */
export async function openMeasuredStore(
  options: ServerOptions,
  group: LocalStoreOptions['group'],
): Promise<MeasuredStore> {
  const holder: { store?: LocalStore } = {};
  const metrics = createMetrics(() => {
    if (holder.store === undefined) throw new TypeError('the store is not open yet');
    return holder.store;
  });
  let tellBroken: (failure: HostError) => void = () => undefined;
  const broken = new Promise<HostError>((resolve) => {
    tellBroken = resolve;
  });
  const store = await openLocalStore({
    directory: options.data,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    durable: options.durability !== 'relaxed',
    observeCommit: metrics.observeCommit,
    observeLifecycle: metrics.observeLifecycle,
    onBroken: (cause) => tellBroken(brokenIndex(options.data, cause)),
    ...(options.lifecycleDay !== undefined && { lifecycleDay: options.lifecycleDay }),
    ...(group !== undefined && { group }),
    ...(options.abandonedUploadAge !== undefined && { abandonedUploadAge: options.abandonedUploadAge }),
  });
  holder.store = store;
  return { store, metrics, broken };
}

function brokenIndex(data: string, cause: Error): HostError {
  return new HostError('host', `${cause.message}: the server ends, and what was acknowledged is kept`, {
    subject: data,
    cause,
    advice: 'look at the disk (dmesg); then start the server again, if nothing else does',
  });
}
