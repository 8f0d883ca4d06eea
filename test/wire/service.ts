import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../src/core/clock.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { Secret } from '../../src/core/secret.ts';
import { createS3Service, type RequestEvent, type S3ServiceOptions } from '../../src/s3/index.ts';
import { type PayloadMode, signRequest } from '../../src/sigv4/index.ts';
import { openLocalStore } from '../../src/store/index.ts';
import { temporaryDirectory } from '../support/temporary.ts';

export const region = 'us-east-1';
export const owner = { accessKeyId: 'OWNEROWNEROWNEROWNER', secret: new Secret('owner-secret'), principal: 'root' };
export const stranger = {
  accessKeyId: 'STRANGERSTRANGER1234',
  secret: new Secret('other-secret'),
  principal: 'stranger',
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** S3's error code, when the body is an error document. */
  readonly code: string | undefined;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Undefined: the owner. */
  readonly as?: typeof owner | 'anonymous';
  /** Undefined: the SHA-256 of the body. */
  readonly payload?: PayloadMode;
  readonly region?: string;
  readonly now?: number;
  /** Headers that are added after signing. */
  readonly unsigned?: Readonly<Record<string, string>>;
}

export interface WireService extends AsyncDisposable {
  readonly port: number;
  /** The data directory. */
  readonly directory: string;
  readonly events: RequestEvent[];
  readonly store: Awaited<ReturnType<typeof openLocalStore>>;
  /** Signs and sends; `target` is the raw path and query. */
  ask(method: string, target: string, options?: Ask): Promise<Answer>;
  /** A connection of one's own, to write raw bytes to. */
  connect(): Promise<Socket>;
}

/** The protocol on a real store and a real socket, in this process. */
export async function startService(
  options: Partial<S3ServiceOptions> & { readonly logger?: Logger } = {},
): Promise<WireService> {
  const directory = await temporaryDirectory('wire');
  const store = await openLocalStore({ directory: directory.path, bodyThreads: 0 });
  const events: RequestEvent[] = [];
  const service = createS3Service({
    store,
    credentials: { find: (id) => [owner, stranger].find((known) => known.accessKeyId === id) },
    region,
    clock: systemClock,
    logger: silentLogger,
    observe: (event) => events.push(event),
    ...options,
  });
  const server = createServer(service);
  server.on('checkContinue', service);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    directory: directory.path,
    events,
    store,
    ask: (method, target, ask = {}) => send(port, method, target, ask),
    async connect() {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
      await directory.remove();
    },
  };
}

/** What the chunks of a signed body continue from, with the headers of its request. */
export function signed(port: number, method: string, target: string, ask: Ask = {}) {
  const [rawPath = '', rawQuery = ''] = target.split('?', 2);
  const headers = { host: `127.0.0.1:${port}`, ...ask.headers };
  const hex = createHash('sha256')
    .update(Buffer.from(ask.body ?? ''))
    .digest('hex');
  const { accessKeyId, secret } = ask.as === undefined || ask.as === 'anonymous' ? owner : ask.as;
  const signer = { accessKeyId, secret, region: ask.region ?? region, now: ask.now ?? Date.now() };
  const payload = ask.payload ?? { kind: 'sha256', hex };
  const result = signRequest({ method, rawPath, rawQuery, headers }, payload, signer);
  return { headers: { ...headers, ...result.headers, ...ask.unsigned }, seed: result.seed };
}

/** The headers that `ask` would send, for requests that are written by hand. */
export function signedHeaders(port: number, method: string, target: string, ask: Ask = {}): Record<string, string> {
  if (ask.as === 'anonymous') return { host: `127.0.0.1:${port}`, ...ask.headers, ...ask.unsigned };
  return signed(port, method, target, ask).headers;
}

function send(port: number, method: string, target: string, ask: Ask): Promise<Answer> {
  const headers = signedHeaders(port, method, target, ask);
  return new Promise((resolve, reject) => {
    const body = Buffer.from(ask.body ?? '');
    const length = ask.body === undefined && method !== 'PUT' ? {} : { 'content-length': body.length.toString() };
    const req = httpRequest({ port, host: '127.0.0.1', method, path: target, headers: { ...length, ...headers } });
    req.on('error', reject);
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('error', reject);
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        const code = /<Error><Code>(\w+)<\/Code>/.exec(text)?.[1];
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: bytes, text, code });
      });
    });
    req.end(body);
  });
}
