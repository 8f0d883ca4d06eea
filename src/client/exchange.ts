import { createHash } from 'node:crypto';
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Connection } from '../providers/index.ts';
import { EMPTY_SHA256, type PayloadMode, presign, signRequest } from '../sigv4/index.ts';
import { budgetOf } from './budget/index.ts';

/** One request as it goes over the wire. */
export interface RawRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD' | 'OPTIONS';
  /** Undefined: the service itself, or with an encoded key whatever the header `host` names. */
  readonly bucket: string | undefined;
  /** Percent-encoded by `exchange`, save slashes; undefined: the bucket itself. */
  readonly key?: string | undefined;
  /** The same already percent-encoded, in whatever way; counts before `key`. */
  readonly encodedKey?: string | undefined;
  /** Raw, such as `lifecycle=`; empty for none. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** How the body is framed and signed. Default: the SHA-256 of `body`. */
  readonly payload?: PayloadMode | undefined;
  /** Sent without a signature. */
  readonly anonymous?: boolean | undefined;
  /** Signed in the query, for so many seconds, and sent with no header but `host` and those given. */
  readonly presigned?: number | undefined;
  /** What takes the encoded key's place once all is signed: what a forger would send. */
  readonly forgedKey?: string | undefined;
  /** Raw, such as `prefix=x`: what is added to the query once all is signed. */
  readonly forgedQuery?: string | undefined;
  /** A connection of its own, for answers that break theirs. */
  readonly alone?: boolean | undefined;
}

/** Whatever was answered, of any status. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; several of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Exchange {
  /** Sends once and answers whatever came back. Throws what the socket threw. */
  send(request: RawRequest): Promise<RawAnswer>;
  close(): void;
}

/** Configurations are at most 1,000 lifecycle rules or 20 KiB of policy, a page of a list 1,000 keys of 1 KiB, escaped. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Signed requests below the SDK, for what it hides: the exact XML, every status, every header.
 * @param options timeoutMs for a whole answer; sockets at once; now, milliseconds since 1970 UTC as the provider has it
 */
export function createExchange(
  connection: Connection,
  options: { readonly timeoutMs: number; readonly sockets: number; readonly now?: (() => number) | undefined },
): Exchange {
  const secure = connection.endpoint.scheme === 'https';
  const budget = budgetOf(connection);
  const agent = budget.agent(options.sockets);

  function prepare(request: RawRequest): { target: RequestOptions; body: Buffer | undefined } {
    const body = request.body === undefined ? undefined : Buffer.from(request.body);
    const { host, port, path } = addressOf(connection, request);
    const headers: Record<string, string> = {
      host: port === undefined ? host : `${host}:${port}`,
      ...request.headers,
    };
    if (body !== undefined) {
      headers['content-length'] = String(body.length);
      // Some demand it for configurations, and it is the only digest that every Ceph checks; of a form it checks the file.
      if (request.payload === undefined && headers['content-type']?.startsWith('multipart/form-data') !== true)
        headers['content-md5'] = createHash('md5').update(body).digest('base64');
    } else if (request.method === 'PUT' || request.method === 'POST') headers['content-length'] = '0';
    const unsigned = request.anonymous === true || request.presigned !== undefined;
    const signature = unsigned ? {} : sign(request, path, headers, body);
    const signed =
      request.presigned === undefined ? request.query : signQuery(request, request.presigned, path, headers);
    const { forgedKey, forgedQuery = '' } = request;
    const query = [signed, forgedQuery].filter((part) => part !== '').join('&');
    const sent = forgedKey === undefined ? path : addressOf(connection, { ...request, encodedKey: forgedKey }).path;
    const target: RequestOptions = {
      method: request.method,
      host,
      port,
      path: query === '' ? sent : `${sent}?${query}`,
      headers: { ...headers, ...signature },
      agent: request.alone === true ? false : agent,
    };
    return { target, body };
  }

  function signQuery(request: RawRequest, seconds: number, rawPath: string, headers: Record<string, string>): string {
    const { host = '' } = headers;
    const { method, query: rawQuery } = request;
    return presign({ method, rawPath, rawQuery, headers: { ...request.headers, host } }, seconds, signer());
  }

  function signer() {
    const { accessKeyId, secretAccessKey } = connection.credentials;
    return {
      accessKeyId: accessKeyId.reveal(),
      secret: secretAccessKey,
      region: connection.region,
      now: options.now?.() ?? Date.now(),
    };
  }

  function sign(request: RawRequest, rawPath: string, headers: Record<string, string>, body: Buffer | undefined) {
    const hex = body === undefined ? EMPTY_SHA256 : createHash('sha256').update(body).digest('hex');
    const digest: PayloadMode = body === undefined ? { kind: 'empty' } : { kind: 'sha256', hex };
    const { method, query: rawQuery, payload = digest } = request;
    return signRequest({ method, rawPath, rawQuery, headers }, payload, signer()).headers;
  }

  return {
    async send(request) {
      await budget.take();
      // Signed when it goes: a signature tells the time.
      const { target, body } = prepare(request);
      return new Promise((resolve, reject) => {
        const outgoing: ClientRequest = secure ? httpsRequest(target) : httpRequest(target);
        const timer = setTimeout(
          () => outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })),
          options.timeoutMs,
        );
        const settle = (done: () => void) => {
          clearTimeout(timer);
          done();
        };
        let answer: IncomingMessage | undefined;
        outgoing.on('error', (error) => {
          // Ceph 18 sends some errors twice: what comes after a whole answer breaks the connection, not the answer.
          if (answer?.complete !== true) settle(() => reject(error));
        });
        outgoing.on('response', (response) => {
          answer = response;
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > MAX_ANSWER_BYTES)
              response.destroy(new Error('the answer is larger than any configuration or page'));
            else chunks.push(chunk);
          });
          response.on('error', (error) => settle(() => reject(error)));
          response.on('end', () =>
            settle(() =>
              resolve({
                status: response.statusCode ?? 0,
                headers: flat(response.headers),
                body: Buffer.concat(chunks).toString('utf8'),
              }),
            ),
          );
        });
        outgoing.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

function flat(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, [value].flat().join(', ')]],
    ),
  );
}

/** Host, port and path of a bucket or an object, in the style that the connection wants. */
export function addressOf(
  connection: Pick<Connection, 'endpoint' | 'forcePathStyle'>,
  { bucket, key, encodedKey }: Pick<RawRequest, 'bucket' | 'key' | 'encodedKey'>,
) {
  const { endpoint } = connection;
  // A dot in the name would need a certificate of its own below the endpoint's.
  const inPath = connection.forcePathStyle || (bucket?.includes('.') === true && endpoint.scheme === 'https');
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  if (bucket === undefined) return { host, port: endpoint.port, path: `/${encodedKey ?? ''}` };
  const object = encodedKey ?? key?.split('/').map(encodeURIComponent).join('/');
  return inPath
    ? { host, port: endpoint.port, path: object === undefined ? `/${bucket}` : `/${bucket}/${object}` }
    : { host: `${bucket}.${host}`, port: endpoint.port, path: `/${object ?? ''}` };
}
