import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DisposableEndpoint, S3Endpoint } from './endpoint.ts';

/** One request as it came. */
export interface Passing {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** How many came before it. */
  readonly index: number;
}

/** What happens to a request instead of passing. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection is lost before an answer. */
  | { readonly kind: 'reset' }
  /** It is lost after so many bytes of the answer's body. */
  | { readonly kind: 'cut'; readonly after: number }
  /** It is lost after so many bytes of the request's body reached the proxy; nothing reached the server. */
  | { readonly kind: 'cut-upload'; readonly after: number }
  /** The request is done, and its answer lost. */
  | { readonly kind: 'lose-answer' }
  /** The answer's body ends early, and its length says so, as a broken cache would do it. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** A bit of the answer's body is another one. */
  | { readonly kind: 'flip'; readonly at: number };

export interface FaultProxy extends DisposableEndpoint {
  readonly requests: readonly Passing[];
  /** Of the bodies that passed since, in both directions; of answers those that tell their length. */
  readonly bytes: number;
  /** Decides of each request from now on; undefined lets it pass. */
  inject(decide: (passing: Passing) => Fault | undefined): void;
  /** Forgets the requests so far. */
  reset(): void;
}

/** An endpoint that passes everything on to another one, by its keys, and does harm when told to. */
export async function startFaultProxy(upstream: S3Endpoint): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  let requests: Passing[] = [];
  let bytes = 0;
  const count = (length: number) => {
    bytes += length;
  };
  let decide: (passing: Passing) => Fault | undefined = () => undefined;
  const server = createServer((incoming, response) => {
    const passing = { method: incoming.method ?? '', url: incoming.url ?? '', index: requests.length };
    requests.push(passing);
    pass(incoming, response, { upstream, agent, count }, decide(passing)).catch(() => incoming.socket.destroy());
  });
  // As S3 does: the body is asked for when the head was read.
  server.on('checkContinue', (incoming: IncomingMessage, response: ServerResponse) => {
    response.writeContinue();
    server.emit('request', incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    ...upstream,
    url: `http://127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    get requests() {
      return requests;
    },
    get bytes() {
      return bytes;
    },
    inject(next) {
      decide = next;
    },
    reset() {
      requests = [];
      bytes = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pass(
  incoming: IncomingMessage,
  response: ServerResponse,
  { upstream, agent, count }: { upstream: S3Endpoint; agent: Agent; count: (bytes: number) => void },
  fault: Fault | undefined,
): Promise<void> {
  if (fault?.kind === 'delay') await sleep(fault.ms);
  if (fault?.kind === 'reset') return void incoming.socket.destroy();
  const body = await bodyOf(incoming, fault?.kind === 'cut-upload' ? fault.after : undefined);
  if (body === undefined) return void incoming.socket.destroy();
  if (fault?.kind === 'status') {
    // As an overloaded gateway says it: in HTML.
    response.writeHead(fault.status, { 'content-type': 'text/html' }).end('<html>busy</html>');
    return;
  }
  const { method, url, rawHeaders } = incoming;
  const headers = pairs(rawHeaders).filter(([name]) => !/^(?:connection|expect)$/i.test(name));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { host, port } = upstream;
    const outgoing = request({ host, port, method, path: url, headers: headers.flat(), agent }, resolve);
    outgoing.once('error', reject);
    outgoing.end(body);
  });
  if (fault?.kind === 'lose-answer') {
    answer.resume();
    return void incoming.socket.destroy();
  }
  const { statusCode = 500, headers: told } = answer;
  count(body.length + Number(told['content-length'] ?? 0));
  if (fault === undefined || fault.kind === 'delay' || fault.kind === 'cut-upload') {
    response.writeHead(statusCode, told);
    answer.pipe(response);
    return;
  }
  const whole = await bodyOf(answer, undefined);
  if (whole === undefined) return void incoming.socket.destroy();
  if (fault.kind === 'cut') {
    response.writeHead(statusCode, told);
    response.write(whole.subarray(0, fault.after), () => incoming.socket.destroy());
    return;
  }
  const changed = fault.kind === 'truncate' ? whole.subarray(0, fault.bytes) : flipped(whole, fault.at);
  const { 'content-range': _range, ...rest } = told;
  response.writeHead(statusCode, { ...rest, 'content-length': String(changed.length) });
  response.end(changed);
}

/** Undefined: it was to be cut, and is. */
async function bodyOf(message: IncomingMessage, cutAfter: number | undefined): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of message) {
    const bytes = Buffer.from(part);
    parts.push(bytes);
    length += bytes.length;
    if (cutAfter !== undefined && length >= cutAfter) return undefined;
  }
  return cutAfter === undefined ? Buffer.concat(parts) : undefined;
}

function flipped(bytes: Buffer, at: number): Buffer {
  const other = Buffer.from(bytes);
  if (other.length > 0) other[at % other.length] = (other[at % other.length] ?? 0) ^ 1;
  return other;
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) found.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return found;
}
