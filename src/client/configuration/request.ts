import { createHash } from 'node:crypto';
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../providers/index.ts';
import { EMPTY_SHA256, type PayloadMode, signRequest } from '../../sigv4/index.ts';
import { ClientError } from '../errors.ts';
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
}

/** Configurations are at most 1,000 lifecycle rules or 20 KiB of policy. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

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
  const secure = connection.endpoint.scheme === 'https';
  const sockets = { keepAlive: true, maxSockets: options.sockets ?? 16 };
  const agent = secure ? new HttpsAgent(sockets) : new HttpAgent(sockets);
  const attempts = options.attempts ?? 4;
  let sent = 0;

  async function attempt(request: BucketRequest, alone: boolean): Promise<BucketAnswer> {
    sent += 1;
    const answer = await exchange(request, alone);
    if (answer.status >= 200 && answer.status < 300) return { ...answer, s3Code: undefined };
    const code = codeOf(answer.body);
    if (code !== undefined && request.expected?.includes(code) === true) return { ...answer, s3Code: code };
    throw translate({ $metadata: { httpStatusCode: answer.status }, Code: code }, subjectOf(request));
  }

  function exchange(request: BucketRequest, alone: boolean): Promise<{ status: number; body: string }> {
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    const { host, port, path } = addressOf(connection, request);
    const authority = port === undefined ? host : `${host}:${port}`;
    const headers: Record<string, string> = { host: authority, ...request.headers };
    if (body !== undefined) {
      headers['content-length'] = String(body.length);
      // Some demand it for these requests, and it is the only digest that every Ceph checks.
      headers['content-md5'] = createHash('md5').update(body).digest('base64');
    } else if (request.method === 'PUT') headers['content-length'] = '0';
    const hex = body === undefined ? EMPTY_SHA256 : createHash('sha256').update(body).digest('hex');
    const payload: PayloadMode = body === undefined ? { kind: 'empty' } : { kind: 'sha256', hex };
    const { accessKeyId, secretAccessKey } = connection.credentials;
    const signed = signRequest({ method: request.method, rawPath: path, rawQuery: request.query, headers }, payload, {
      accessKeyId: accessKeyId.reveal(),
      secret: secretAccessKey,
      region: connection.region,
      now: Date.now(),
    });
    const target: RequestOptions = {
      method: request.method,
      host,
      port,
      path: request.query === '' ? path : `${path}?${request.query}`,
      headers: { ...headers, ...signed.headers },
      agent: alone ? false : agent,
    };
    return new Promise((resolve, reject) => {
      const outgoing: ClientRequest = secure ? httpsRequest(target) : httpRequest(target);
      const timer = setTimeout(
        () => outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
        options.timeoutMs ?? 20_000,
      );
      const settle = (done: () => void) => {
        clearTimeout(timer);
        done();
      };
      outgoing.on('error', (error) => settle(() => reject(error)));
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is larger than any configuration'));
          else chunks.push(chunk);
        });
        response.on('error', (error) => settle(() => reject(error)));
        response.on('end', () =>
          settle(() => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') })),
        );
      });
      outgoing.end(body);
    });
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
    close: () => agent.destroy(),
  };
}

/** The connection failed, not the request: its framing, or an idle one that the server had closed. */
function isBroken(error: unknown): boolean {
  if (error instanceof ClientError) return false;
  if (isBrokenFraming(error)) return true;
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** S3's code in an error document; undefined for HTML, for nothing and for a document that was sent twice. */
function codeOf(body: string): string | undefined {
  const end = body.indexOf('</Error>');
  const root = end < 0 ? undefined : readXml(body.slice(0, end + '</Error>'.length));
  return root?.name === 'Error' ? textOf(root, 'Code') : undefined;
}

function addressOf(connection: Connection, { bucket }: BucketRequest) {
  const { endpoint } = connection;
  // A dot in the name would need a certificate of its own below the endpoint's.
  const inPath = connection.forcePathStyle || (bucket?.includes('.') === true && endpoint.scheme === 'https');
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  if (bucket === undefined) return { host, port: endpoint.port, path: '/' };
  return inPath
    ? { host, port: endpoint.port, path: `/${bucket}` }
    : { host: `${bucket}.${host}`, port: endpoint.port, path: '/' };
}
