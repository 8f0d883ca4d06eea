import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { createS3Service } from '../s3/service.ts';
import type { ObjectStore } from '../store/index.ts';
import { UserDirectory } from '../users/index.ts';
import { withAdmission } from './admission.ts';
import { credentialsOf } from './credentials.ts';
import { withHealthPaths } from './health.ts';
import { DEFAULT_LIMITS, type Listener, listen } from './listener.ts';
import type { ServerMetrics } from './metrics.ts';
import type { ServerOptions } from './options.ts';
import { withQueuedAnswersClosed } from './queued-answers.ts';
import { SlowClients } from './slow-clients.ts';

export interface FrontParts {
  readonly store: ObjectStore;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: ServerMetrics;
  draining(): boolean;
}

/**
 * The S3 service of one process, listening.
 * @throws HostError `address-in-use`, `permission`; UserError `damaged`, `server-key`
 */
export async function listenForS3(
  options: Omit<ServerOptions, 'logger' | 'clock'>,
  parts: FrontParts,
): Promise<Listener> {
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
  const listener = await listen(options.listen, handler, limits, options.tls, logger);
  return {
    ...listener,
    async drain(graceMs) {
      await listener.drain(graceMs);
      slow.stop();
    },
  };
}
