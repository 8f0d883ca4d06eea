import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { createS3Service } from '../s3/service.ts';
import type { ObjectStore } from '../store/index.ts';
import { UserDirectory } from '../users/index.ts';
import { withAdmission } from './admission.ts';
import { credentialsOf } from './credentials.ts';
import { withHealthPaths } from './health.ts';
import { DEFAULT_LIMITS, type Handler, type Listener, type ListenerLimits, listen } from './listener.ts';
import type { ServerMetrics } from './metrics.ts';
import type { ServerOptions } from './options.ts';
import { withQueuedAnswersClosed } from './queued-answers.ts';
import { SlowClients } from './slow-clients.ts';

export type FrontOptions = Omit<ServerOptions, 'logger' | 'clock'>;

export interface FrontParts {
  readonly store: ObjectStore;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: ServerMetrics;
  draining(): boolean;
}

/** What answers requests, wherever its connections come from. */
export interface Front {
  readonly handler: Handler;
  readonly limits: ListenerLimits;
  /** When all connections are gone. */
  stop(): void;
}

/**
 * The S3 service of one process, listening.
 * @throws HostError `address-in-use`, `permission`; UserError `damaged`, `server-key`
 */
export async function listenForS3(options: FrontOptions, parts: FrontParts): Promise<Listener> {
  const { handler, limits, stop } = createFront(options, parts);
  const listener = await listen(options.listen, handler, limits, options.tls, parts.logger);
  return {
    ...listener,
    async drain(graceMs) {
      await listener.drain(graceMs);
      stop();
    },
  };
}

/** @throws UserError `damaged`, `server-key` */
export function createFront(options: FrontOptions, parts: FrontParts): Front {
  const { store, logger, clock, metrics, draining } = parts;
  const users = new UserDirectory({ data: options.data, serverKey: options.serverKey, clock, logger });
  const service = createS3Service({
    store,
    region: options.region,
    anyRegion: options.anyRegion,
    domain: options.domain,
    clock,
    logger,
    credentials: credentialsOf(options, users),
    accounts: users,
    objectOwnership: options.objectOwnership,
    observe: metrics.observeRequest,
  });
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const slow = new SlowClients(limits, logger);
  const counted = (req: IncomingMessage, res: ServerResponse) => {
    metrics.requestStarted();
    res.once('close', metrics.requestEnded);
    slow.watch(req, res);
    service(req, res);
  };
  const admitted = withAdmission(counted, limits, metrics.observeRequest);
  const handler = withHealthPaths(withQueuedAnswersClosed(admitted), {
    store,
    domain: options.domain,
    draining,
  });
  return { handler, limits, stop: () => slow.stop() };
}
