import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../providers/index.ts';
import { ClientError } from '../errors.ts';
import { createExchange } from '../exchange.ts';
import { isBrokenFraming, translate } from '../translate.ts';
import { readXml, textOf } from './xml.ts';

export interface BucketRequest {
  /** Such as `PutBucketLifecycleConfiguration`; for messages. */
  readonly operation: string;
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'HEAD';
  /** Undefined: the service itself. */
  readonly bucket: string | undefined;
  /** The query, such as `lifecycle`; empty for none. */
  readonly query: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** S3 codes that are an answer rather than a failure. */
  readonly expected?: readonly string[];
  /** A connection of its own, for answers that break theirs. */
  readonly alone?: boolean;
}

export interface BucketAnswer {
  readonly status: number;
  readonly body: string;
  /** One of `expected`, where the answer was that. */
  readonly s3Code: string | undefined;
}

export interface RequestOptionsOfClient {
  /** Milliseconds for the whole answer of one attempt. Default 20,000. */
  readonly timeoutMs?: number | undefined;
  /** Attempts of one request, the first included, while it is throttled or the provider fails. Default 4. */
  readonly attempts?: number | undefined;
  /** Connections at once. Default 16. */
  readonly sockets?: number | undefined;
  /** Milliseconds since 1970 UTC as the provider has it. Default: this machine's clock. */
  readonly now?: (() => number) | undefined;
}

export interface Requester {
  /** @throws ClientError */
  send(request: BucketRequest): Promise<BucketAnswer>;
  /** Requests sent so far, repeats included. */
  readonly sent: number;
  close(): void;
}

/**
 * Sends the requests that configure buckets, each signed over its whole body. Not by the SDK, because the answer's root
 * element and status must be seen before anything is believed, and because the exact XML matters on RADOS Gateways.
 * All of these requests may be repeated: throttles (429 and 503, often HTML) and 5xx are, with growing pauses; a broken
 * connection is, once, on a fresh one.
 */
export function createRequester(connection: Connection, options: RequestOptionsOfClient = {}): Requester {
  const exchange = createExchange(connection, {
    timeoutMs: options.timeoutMs ?? 20_000,
    sockets: options.sockets ?? 16,
    now: options.now,
  });
  const attempts = options.attempts ?? 4;
  let sent = 0;

  async function attempt(request: BucketRequest, alone: boolean): Promise<BucketAnswer> {
    sent += 1;
    const answer = await exchange.send({ ...request, alone });
    const { status, body } = answer;
    if (status >= 200 && status < 300) return { status, body, s3Code: undefined };
    const code = codeOf(body);
    if (code !== undefined && request.expected?.includes(code) === true) return { status, body, s3Code: code };
    throw translate({ $metadata: { httpStatusCode: status }, Code: code }, subjectOf(request));
  }

  function subjectOf({ operation, bucket }: BucketRequest) {
    return { operation, endpoint: connection.endpoint.url, bucket };
  }

  return {
    get sent() {
      return sent;
    },
    async send(request) {
      let broken = false;
      for (let tries = 1; ; tries += 1) {
        try {
          return await attempt(request, request.alone === true || broken);
        } catch (error) {
          const failure = translate(error, subjectOf(request));
          const wasBroken = isBroken(error);
          const again = wasBroken ? !broken : failure.code === 'throttled' || failure.code === 'server';
          if (!again || tries >= attempts) throw failure;
          broken ||= wasBroken;
          if (!wasBroken) await sleep(Math.min(8_000, 200 * 4 ** (tries - 1)) * (0.5 + Math.random() / 2));
        }
      }
    },
    close: () => exchange.close(),
  };
}

/** The connection failed, not the request: its framing, or an idle one that the server had closed. */
function isBroken(error: unknown): boolean {
  if (error instanceof ClientError) return false;
  if (isBrokenFraming(error)) return true;
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** S3's code in an error document; undefined for HTML, for nothing and for a document that was sent twice. */
export function codeOf(body: string): string | undefined {
  const end = body.indexOf('</Error>');
  const root = end < 0 ? undefined : readXml(body.slice(0, end + '</Error>'.length));
  return root?.name === 'Error' ? textOf(root, 'Code') : undefined;
}
