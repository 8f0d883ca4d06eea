import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, type ClientErrorCode } from '../client/errors.ts';
import type { ObjectClient } from '../client/index.ts';

/** What an endpoint that is still starting answers. */
const startingUp: ReadonlySet<ClientErrorCode> = new Set(['unreachable', 'throttled', 'server', 'protocol']);

export interface WaitOptions {
  /** Milliseconds in all; 0 asks once. */
  readonly milliseconds: number;
  /** Called when the first answer did not come. */
  onWaiting?(error: ClientError): void;
}

/**
 * Waits until the endpoint answers S3 requests, whatever it answers, so that this works as an init container beside a
 * server that starts at the same time.
 * @throws ClientError the last failure when the time is over
 */
export async function waitForEndpoint(client: ObjectClient, bucket: string, options: WaitOptions): Promise<void> {
  const deadline = Date.now() + options.milliseconds;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await client.headBucket(bucket);
      return;
    } catch (error) {
      if (!(error instanceof ClientError) || !startingUp.has(error.code)) return;
      if (Date.now() >= deadline) throw error;
      if (attempt === 0) options.onWaiting?.(error);
    }
    await sleep(Math.min(500, Math.max(deadline - Date.now(), 0)));
  }
}
