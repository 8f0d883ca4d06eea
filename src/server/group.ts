import { HostError } from '../core/errors.ts';
import { silentLogger } from '../core/logger.ts';
import { createAdminHandler } from './admin.ts';
import { makeBuckets } from './buckets.ts';
import { DEFAULT_LIMITS, listen } from './listener.ts';
import { type MeasuredStore, openMeasuredStore } from './measured-store.ts';
import { Members } from './members.ts';
import type { MemberOptions } from './messages.ts';
import type { RunningServer, ServerOptions } from './options.ts';

/**
 * Several processes on one data directory and one address. This one hands connections to the others in turn, holds the
 * directory's lock, does what is done once (recovery, maintenance) and answers on the admin port.
 */
export async function startGroup(options: ServerOptions, processes: number): Promise<RunningServer> {
  const { logger = silentLogger } = options;
  if (import.meta.url.endsWith('.ts')) {
    throw new HostError('host', 'several processes need the compiled package', { advice: 'run npm run build' });
  }
  // They load their program while this process opens the directory.
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const members = new Members(processes, limits.maxConnections, logger);
  try {
    const measured = await openMeasuredStore(options, { role: 'first', processes });
    try {
      return await serve(options, processes, members, measured);
    } catch (error) {
      await members.kill();
      await measured.store.close();
      throw error;
    }
  } catch (error) {
    await members.kill();
    throw error;
  }
}

async function serve(
  options: ServerOptions,
  processes: number,
  members: Members,
  { store, metrics, broken }: MeasuredStore,
): Promise<RunningServer> {
  await makeBuckets(store, options);
  const url = await members.serve(memberOptions(options, processes), options.listen, (pid, identity) =>
    store.forgetMember(pid, identity),
  );
  let closing: Promise<void> | undefined;
  const scrape = async () => metrics.scrapeWith(await members.snapshots());
  const handler = createAdminHandler(store, scrape, () => closing !== undefined || !members.serving);
  const admin = await listen(options.adminListen, handler, { ...DEFAULT_LIMITS, ...options.limits });
  const close = async () => {
    await members.drain((options.drainMs ?? 10_000) + 5000);
    await admin.drain(1000);
    await store.close();
  };
  return {
    url,
    adminUrl: admin.url,
    broken,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** How much more than its share a process takes before it refuses: the shares are never quite equal. */
const SLACK = 1.1;

function memberOptions(options: ServerOptions, processes: number): MemberOptions {
  const { logger: _logger, clock: _clock, rootCredentials, serverKey, limits, ...plain } = options;
  const all = { ...DEFAULT_LIMITS, ...limits };
  const share = (most: number) => Math.ceil(most / processes);
  return {
    ...plain,
    processes,
    // Connections go to the processes in turn, so that each has its share of a client's requests too; nearly.
    limits: {
      ...all,
      maxConnections: share(all.maxConnections),
      maxRequests: share(all.maxRequests * SLACK),
      maxRequestsPerClient: share(all.maxRequestsPerClient * SLACK),
    },
    accessKeyId: rootCredentials.accessKeyId,
    secretAccessKey: rootCredentials.secretAccessKey.reveal(),
    serverKeyText: serverKey?.reveal(),
  };
}
