import type { IncomingMessage, ServerResponse } from 'node:http';
import { MiB } from '../core/sizes.ts';
import { S3Error } from '../s3/errors.ts';
import { bytesCollected, bytesUntaken } from '../s3/memory.ts';
import { errorReply, mustClose, writeLastReply, writeReply } from '../s3/reply.ts';
import { hostId, requestIds } from '../s3/request-id.ts';
import type { RequestEvent } from '../s3/service.ts';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

export interface AdmissionLimits {
  /** Requests under way at once: each holds some memory, stalled or not. */
  readonly maxRequests: number;
  /** The same of one client, which is an IPv4 address or an IPv6 network of 64 bits. */
  readonly maxRequestsPerClient: number;
}

/** Bytes of documents that all clients together may be sending or not taking, before further requests are refused. */
const MOST_COLLECTED = 64 * MiB;
const MOST_UNTAKEN = 64 * MiB;
/** A refused request's body is read up to this many bytes to keep the connection. */
const DRAINED = MiB;

/**
 * Refuses requests beyond the limits with S3's `SlowDown`, which clients try again after a while; whoever is inside is
 * served. Before anything is known of the request: that would cost what is to be saved.
 */
export function withAdmission(
  admitted: Handler,
  limits: AdmissionLimits,
  observe: (event: RequestEvent) => void,
): Handler {
  const perClient = new Map<string, number>();
  const nextId = requestIds();
  const host = hostId();
  let all = 0;

  const refuse = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const began = performance.now();
    const requestId = nextId();
    const failure = new S3Error('SlowDown', undefined, { headers: ['Retry-After', '1'] });
    const [path = ''] = (req.url ?? '').split('?', 1);
    const reply = errorReply(failure, req.method ?? '', path, requestId, host);
    const ids = ['x-amz-request-id', requestId, 'x-amz-id-2', host];
    const bytesOut = mustClose(req, DRAINED) ? writeLastReply(req, res, reply, ids) : await writeReply(res, reply, ids);
    observe({
      operation: 'Unknown',
      status: failure.status,
      code: failure.code,
      milliseconds: performance.now() - began,
      bytesIn: 0,
      bytesOut,
      requestId,
      bucket: '',
      principal: undefined,
    });
  };

  return (req, res) => {
    const client = clientOf(req.socket.remoteAddress ?? '');
    const own = perClient.get(client) ?? 0;
    const isFull = all >= limits.maxRequests || own >= limits.maxRequestsPerClient;
    if (isFull || bytesCollected() > MOST_COLLECTED || bytesUntaken() > MOST_UNTAKEN) {
      refuse(req, res).catch(() => res.destroy());
      return;
    }
    all += 1;
    perClient.set(client, own + 1);
    res.once('close', () => {
      all -= 1;
      const left = (perClient.get(client) ?? 1) - 1;
      if (left > 0) perClient.set(client, left);
      else perClient.delete(client);
    });
    admitted(req, res);
  };
}

/** Whoever has an IPv6 address has 2⁶⁴ of them. */
export function clientOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [front = '', back] = address.split('::');
  const groups = front === '' ? [] : front.split(':');
  // Without `::` there are eight groups; with it, the missing ones in between are zero.
  const after = back === undefined || back === '' ? [] : back.split(':');
  const zeros = back === undefined ? 0 : 8 - groups.length - after.length;
  return [...groups, ...Array.from({ length: zeros }, () => '0'), ...after].slice(0, 4).join(':');
}
