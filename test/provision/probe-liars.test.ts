import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { compare, probe } from '../../src/probe/index.ts';
import { signRequest } from '../../src/sigv4/index.ts';
import { endpointOf } from '../support/endpoint.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { connectionTo } from './targets.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server?.stop());

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** What a gateway makes of a request: the headers and the query that it looks at, or an answer without looking. */
type Gateway = (
  seen: Seen,
) => { readonly ignore: readonly string[]; readonly query?: string } | { readonly answer: number };

/** The real server behind a gateway that does not know all of S3, which signs anew what it changed. */
async function behind(gateway: Gateway, log: Seen[]): Promise<{ readonly front: Server; readonly url: string }> {
  const front = createServer((incoming, response) => {
    const { method = '', url = '', headers } = incoming;
    const [path = '', query = ''] = url.split('?');
    log.push({ method, path, query, headers });
    const verdict = gateway({ method, path, query, headers });
    if ('answer' in verdict) {
      incoming.resume();
      response.writeHead(verdict.answer, { 'content-length': '0' }).end();
      return;
    }
    const kept = Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        typeof value === 'string' && !verdict.ignore.includes(name) ? [[name, value]] : [],
      ),
    );
    const target = { method, rawPath: path, rawQuery: verdict.query ?? query };
    const { authorization, 'x-amz-content-sha256': hex, ...unsigned } = kept;
    const changed =
      authorization !== undefined && (verdict.ignore.some((name) => name in headers) || verdict.query !== undefined);
    const signed = changed
      ? signRequest(
          { ...target, headers: unsigned },
          { kind: 'sha256', hex: hex ?? '' },
          {
            accessKeyId: server.accessKeyId,
            secret: new Secret(server.secretAccessKey),
            region: server.region,
            now: Date.now(),
          },
        ).headers
      : {};
    const outgoing = httpRequest(
      {
        host: server.host,
        port: server.port,
        method,
        path: target.rawQuery === '' ? path : `${path}?${target.rawQuery}`,
        headers: { ...kept, ...signed },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const address = front.address();
  return { front, url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` };
}

async function probed(gateway: Gateway) {
  const log: Seen[] = [];
  const { front, url } = await behind(gateway, log);
  try {
    const { region, accessKeyId, secretAccessKey } = server;
    const connection = connectionTo(endpointOf(url, region, accessKeyId, secretAccessKey), 'embedded');
    const { measurements, left } = await probe(connection);
    const rows = new Map(measurements.map((each) => [each.feature, compare(each, connection.provider)]));
    return { rows, left, log };
  } finally {
    front.closeAllConnections();
    front.close();
  }
}

test('a gateway that ignores conditions is found out by the bytes, whatever it answers', async () => {
  const { rows, left } = await probed(() => ({ ignore: ['if-none-match', 'if-match'] }));
  const refuted = [...rows.values()].filter(({ comparison }) => comparison === 'refuted');
  expect(refuted.map(({ feature, state, believed }) => [feature, state, believed])).toEqual([
    ['conditional-put', 'no', 'no'],
    ['conditional-complete', 'no', 'no'],
  ]);
  expect(left).toEqual([]);
}, 60_000);

test('a gateway that answers 200 to configurations and keeps none is found out by reading back', async () => {
  const words = ['lifecycle=', 'tagging=', 'cors=', 'policy=', 'publicAccessBlock=', 'versioning='];
  const { rows, left } = await probed(({ method, query }) =>
    method === 'PUT' && words.includes(query) ? { answer: 200 } : { ignore: [] },
  );
  for (const feature of [
    'lifecycle',
    'bucket-tagging',
    'cors',
    'bucket-policy',
    'public-access-block',
    'versioning',
  ] as const) {
    expect(rows.get(feature), feature).toMatchObject({ state: 'no', comparison: 'refuted' });
  }
  expect(left).toEqual([]);
}, 60_000);

test('a gateway that answers unknown words with a listing has no such feature, and is sent nothing further', async () => {
  const { rows, log } = await probed(({ method, query }) =>
    method === 'GET' && (query === 'lifecycle=' || query === 'tagging=') ? { ignore: [], query: '' } : { ignore: [] },
  );
  for (const feature of ['lifecycle', 'lifecycle-dates', 'bucket-tagging'] as const) {
    expect(rows.get(feature), feature).toMatchObject({ state: 'no' });
  }
  expect(log.filter(({ method, query }) => method === 'PUT' && query === 'lifecycle=')).toEqual([]);
}, 60_000);

test('a provider that fails proves nothing', async () => {
  const { rows } = await probed(({ query }) => (query === 'cors=' ? { answer: 500 } : { ignore: [] }));
  expect(rows.get('cors')).toMatchObject({ state: 'unknown', comparison: 'not-measured', believed: 'yes' });
}, 90_000);

test('only scratch buckets are touched, and no subresource is ever deleted', async () => {
  const { log } = await probed(() => ({ ignore: [] }));
  expect(log.length).toBeGreaterThan(50);
  expect(log.filter(({ path }) => !/^\/bucketwright-probe-[0-9a-f]{12}(?:\/|$)/.test(path))).toEqual([]);
  const deletions = log.filter(({ method, path }) => method === 'DELETE' && !/^\/[^/]+\/./.test(path));
  expect(deletions.map(({ query }) => query.replace(/x-id=\w+/, ''))).toEqual(deletions.map(() => ''));
}, 60_000);
