import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { artifacts } from '../../src/artifacts/index.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { newToken } from '../../src/control/index.ts';
import { resolvedSchema } from '../../src/control/schemas.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { bucketName } from '../support/endpoint.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { type ServedApi, serveApi, settingsFor } from './serve.ts';

const bucket = bucketName('api');
const all = newToken({ id: 'all', names: ['*'] });
const some = newToken({ id: 'some', names: ['p/*'] });
const tenant = newToken({ id: 'tenant', names: ['*'], tenant: 'acme' });
const content = randomBytes(1000);
let server: TestServer;
let client: ObjectClient;
let scratch: TemporaryDirectory;
let url: string;
let api: ServedApi;

const provider = providerNamed('embedded');
const store = () => {
  if (provider === undefined) throw new Error('no profile');
  return artifacts({ client, bucket, prefix: '', provider });
};
const promote = (version: string) =>
  store().promote({ reference: { by: 'version', name: 'p/orders', version }, channel: 'live', by: 'test' });

beforeAll(async () => {
  server = await startServer();
  client = createClient(connectionTo(server, 'embedded'));
  scratch = await temporaryDirectory('api');
  await client.createBucket(bucket);
  const path = join(scratch.path, 'content');
  await writeFile(path, content);
  for (const version of ['1', '2']) await store().push({ name: 'p/orders', version, path });
  await store().push({ name: 'other', version: '1', path });
  await promote('1');
  api = await serveApi(settingsFor(server, 'embedded', bucket), scratch.path, [all.entry, some.entry, tenant.entry]);
  url = api.url;
}, 90_000);
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  client?.close();
  await server?.[Symbol.asyncDispose]();
  await scratch?.remove();
}, 60_000);

const get = (path: string, token = all, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token.token.reveal()}`, ...headers } });
const resolve = (reference: string) => `/v1/resolve?reference=${encodeURIComponent(reference)}`;

test('a channel leads to an artifact, and its URL to its bytes', async () => {
  const answer = resolvedSchema.parse(await (await get(resolve('p/orders@live'))).json());
  expect([answer.artifact.version, answer.entry?.number]).toEqual(['1', 1]);
  const bytes = Buffer.from(await (await fetch(answer.url)).arrayBuffer());
  expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(answer.artifact.content.digest);
  expect(bytes.equals(content)).toBe(true);
});

test('who waits with an ETag is answered when the channel moves', async () => {
  const first = await get(resolve('p/orders@live'));
  await first.text();
  const etag = first.headers.get('etag') ?? '';
  expect((await get(resolve('p/orders@live'), all, { 'if-none-match': etag })).status).toBe(304);
  const waiting = get(`${resolve('p/orders@live')}&wait=30`, all, { 'if-none-match': etag });
  await promote('2');
  const moved = await waiting;
  expect(moved.status).toBe(200);
  expect(moved.headers.get('etag')).not.toBe(etag);
  expect(resolvedSchema.parse(await moved.json()).artifact.version).toBe('2');
}, 40_000);

test('a token reaches its names and its tenant, and learns nothing of others', async () => {
  expect((await fetch(`${url}/v1/names`)).status).toBe(401);
  expect((await get(resolve('other:1'), some)).status).toBe(403);
  expect((await get(resolve('missing:1'), some)).status).toBe(403);
  expect((await get(resolve('p/orders:1'), some)).status).toBe(200);
  expect((await get(resolve('p/orders:1'), tenant)).status).toBe(404);
  expect(await (await get('/v1/names', some)).json()).toEqual({ names: ['p/orders'] });
  for (const bad of ['', 'x', '../x:1', 'p/orders:../1', `p/orders@sha256:0`]) {
    expect((await get(resolve(bad))).status, bad).toBe(400);
  }
});
