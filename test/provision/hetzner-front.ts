import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { S3Endpoint } from '../support/endpoint.ts';
import { freePorts } from '../support/ports.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HetznerFront extends AsyncDisposable {
  readonly endpoint: { readonly url: string; readonly host: string; readonly port: number };
  /** What arrived, in order. */
  readonly seen: SeenRequest[];
  /** From now on, for so many milliseconds, each request but ListBuckets is refused, as a new key's is. */
  refuseFor(milliseconds: number): void;
  /** Milliseconds for which a policy that was written is still read as the former one. Default 0. */
  policyLagMs: number;
  /** One in so many requests is throttled; 0: none. */
  throttleEvery: number;
}

/** Words that Hetzner answers with 501, as HTML (its list of supported actions; nextcloud/files_versions_s3#55). */
const UNKNOWN =
  /[?&](?:tagging|website|notification|logging|replication|inventory|analytics|metrics|accelerate|ownershipControls)(?:=|&|$)/;
/** The whole policy is refused for these. */
const REFUSED_ACTIONS = /s3:Put(?:EncryptionConfiguration|BucketOwnershipControls)/i;

/**
 * What is reported of Hetzner's front ends, before a real Ceph: 429 and 501 as HTML, new keys that are refused for a while,
 * policies that are read as they were.
 */
export async function startHetznerFront(upstream: S3Endpoint): Promise<HetznerFront> {
  const seen: SeenRequest[] = [];
  /** By URL, what was written last and what before. */
  const policies = new Map<string, { now: string; former: string; until: number }>();
  let refusedUntil = 0;
  let count = 0;
  const settings = { policyLagMs: 0, throttleEvery: 0 };

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(incoming);
    const { method = '', url = '', headers } = incoming;
    seen.push({ method, url, headers, body });
    const say = (status: number, type: string, text: string) =>
      void response.writeHead(status, { 'content-type': type }).end(text);
    const error = (status: number, code: string) =>
      say(status, 'application/xml', `<Error><Code>${code}</Code></Error>`);
    count += 1;
    if (settings.throttleEvery > 0 && count % settings.throttleEvery === 0) return say(429, 'text/html', '<html>429');
    if (UNKNOWN.test(url)) return say(501, 'text/html', '<html><body><h1>501 Not Implemented</h1></body></html>');
    if (Date.now() < refusedUntil && url !== '/') return error(403, 'AccessDenied');
    if (!/[?&]policy(?:=|&|$)/.test(url)) return forward(upstream, { method, url, headers, body }, response);
    const known = policies.get(url) ?? { now: '', former: '', until: 0 };
    if (method === 'GET' && Date.now() < known.until) {
      return known.former === '' ? error(404, 'NoSuchBucketPolicy') : say(200, 'application/json', known.former);
    }
    if (REFUSED_ACTIONS.test(body)) return error(503, 'ServiceUnavailable');
    if (method !== 'GET') {
      policies.set(url, { now: body, former: known.now, until: Date.now() + settings.policyLagMs });
    }
    return forward(upstream, { method, url, headers, body }, response);
  }

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => incoming.socket.destroy());
  });
  const [port = 0] = await freePorts(1);
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return Object.assign(settings, {
    endpoint: { url: `http://127.0.0.1:${port}`, host: '127.0.0.1', port },
    seen,
    refuseFor: (milliseconds: number) => {
      refusedUntil = Date.now() + milliseconds;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  });
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function forward({ host, port }: S3Endpoint, asked: SeenRequest, response: ServerResponse): Promise<void> {
  const { method, url: path, headers, body } = asked;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response).on('finish', resolve).on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
