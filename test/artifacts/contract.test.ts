import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type ArtifactStore, artifacts } from '../../src/artifacts/index.ts';
import { layoutBelow } from '../../src/artifacts/layout.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { createArtifactApi, newToken } from '../../src/control/index.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { bucketName } from '../support/endpoint.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { type ServedApi, serveApi, settingsFor } from './serve.ts';

/** The document as a stranger would read it: nothing below knows the schemas of `src/control`. */
const content = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const operation = z.object({
  operationId: z.string(),
  parameters: z.array(z.object({ name: z.string(), in: z.string(), required: z.boolean() })),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string().min(1), content: content.optional() })),
  security: z.array(z.record(z.string(), z.array(z.string()))),
});
const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.enum(['get', 'post']), operation.optional())),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
interface Described {
  readonly path: string;
  readonly method: 'get' | 'post';
  readonly is: z.output<typeof operation>;
}

const bucket = bucketName('contract');
const all = newToken({ id: 'all', names: ['*'], push: ['p/*'] });
const some = newToken({ id: 'some', names: ['q/*'], push: ['q/*'] });
let server: TestServer;
let client: ObjectClient;
let scratch: TemporaryDirectory;
let api: ServedApi;
let readOnly: ServedApi;
let store: ArtifactStore;
let operations: ReadonlyMap<string, Described>;
let schemas: Readonly<Record<string, unknown>>;
const seen = new Set<string>();

beforeAll(async () => {
  server = await startServer();
  client = createClient(connectionTo(server, 'embedded'));
  scratch = await temporaryDirectory('contract');
  await client.createBucket(bucket);
  const provider = providerNamed('embedded');
  if (provider === undefined) throw new Error('no profile');
  store = artifacts({ client, bucket, prefix: '', provider });
  const path = join(scratch.path, 'content');
  for (const version of ['1', '2', 'gone']) {
    await writeFile(path, randomBytes(1000));
    await store.push({ name: 'p/orders', version, path, labels: { team: 'x' }, revision: 'abc' });
  }
  await store.promote({ reference: { by: 'version', name: 'p/orders', version: '1' }, channel: 'live', by: 'test' });
  const { artifact } = await store.resolve('p/orders:gone');
  await client.delete({ bucket, key: layoutBelow('').blob(artifact.digest) });
  const settings = settingsFor(server, 'embedded', bucket);
  const tokens = [all.entry, some.entry];
  api = await serveApi(settings, scratch.path, tokens, ['--allow-writes']);
  readOnly = await serveApi(settings, scratch.path, tokens);
  const document = documentSchema.parse(await (await fetch(`${api.url}/v1/openapi.json`)).json());
  operations = new Map(
    Object.entries(document.paths).flatMap(([where, methods]) =>
      (['get', 'post'] as const).flatMap((method) => {
        const is = methods[method];
        return is === undefined ? [] : [[is.operationId, { path: where, method, is }] as const];
      }),
    ),
  );
  schemas = document.components.schemas;
}, 120_000);
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await readOnly?.[Symbol.asyncDispose]();
  client?.close();
  await server?.[Symbol.asyncDispose]();
  await scratch?.remove();
}, 60_000);

interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly via?: (path: string, init: RequestInit) => Promise<Response>;
}
const bearer = (token: typeof all) => ({ authorization: `Bearer ${token.token.reveal()}` });

/** Asks, and holds the answer against the document: its status, its media type, and every member of its body. */
async function ask(
  id: string,
  { query, path, body, headers, via }: Asked,
): Promise<{ status: number; value: unknown }> {
  const found = operations.get(id);
  if (found === undefined) throw new Error(`no operation ${id}`);
  const where = found.path.replace(/\{\w+\}/, encodeURIComponent(path ?? ''));
  const words = query === undefined ? '' : `?${new URLSearchParams(query)}`;
  const send = via ?? ((to, init) => fetch(`${api.url}${to}`, init));
  const answer = await send(`${where}${words}`, {
    method: found.method.toUpperCase(),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const { status } = answer;
  const described = found.is.responses[String(status)];
  if (described === undefined)
    throw new Error(`${id} answered ${status}, which is not documented: ${await answer.text()}`);
  seen.add(`${id} ${status}`);
  const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
  if (described.content === undefined) {
    expect(await answer.text()).toBe('');
    return { status, value: undefined };
  }
  const { schema } = described.content[type] ?? {};
  if (schema === undefined) throw new Error(`${id} ${status} came as ${type}`);
  if (type === 'application/octet-stream') return { status, value: Buffer.from(await answer.arrayBuffer()) };
  const value: unknown = await answer.json();
  validate(schema, value, `${id} ${status}`);
  return { status, value };
}

const compiled = new Map<string, z.ZodType>();
function validate(schema: Readonly<Record<string, unknown>>, value: unknown, what: string): void {
  const key = JSON.stringify(schema);
  const text = JSON.stringify({ ...schema, $defs: schemas }).replaceAll('#/components/schemas/', '#/$defs/');
  const local: Parameters<typeof z.fromJSONSchema>[0] = JSON.parse(text);
  const known = compiled.get(key) ?? z.fromJSONSchema(local);
  compiled.set(key, known);
  const parsed = known.safeParse(value);
  expect(parsed.success, `${what}: ${JSON.stringify(value)}: ${parsed.error?.message ?? ''}`).toBe(true);
}

const json = (value: unknown) => JSON.stringify(value);
const grantOf = (version: string, bytes: Buffer, name = 'p/granted') => ({
  name,
  version,
  content: {
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.length,
    mediaType: 'application/octet-stream',
    title: 'x',
  },
});
const granted = z.object({
  ticket: z.string(),
  upload: z.object({ url: z.string(), headers: z.record(z.string(), z.string()) }).optional(),
});

test('every operation answers every status that it documents, as it documents it', async () => {
  const ofAll = { headers: bearer(all) };
  const ofSome = { headers: bearer(some) };
  const live = { reference: 'p/orders@live' };
  // Reading.
  const first = await fetch(`${api.url}/v1/resolve?reference=p/orders@live`, ofAll);
  const etag = first.headers.get('etag') ?? '';
  const queries: [string, Record<string, string>][] = [
    ['resolve', live],
    ['statements', live],
    ['names', {}],
    ['versions', { name: 'p/orders' }],
    ['history', { name: 'p/orders', channel: 'live', limit: '5' }],
  ];
  for (const [id, query] of queries) {
    expect((await ask(id, { query, ...ofAll })).status, id).toBe(200);
    expect((await ask(id, { query })).status).toBe(401);
    if (id === 'names') continue;
    expect((await ask(id, { query, ...ofSome })).status).toBe(403);
    expect((await ask(id, ofAll)).status).toBe(400);
  }
  expect((await ask('resolve', { query: live, headers: { ...bearer(all), 'if-none-match': etag } })).status).toBe(304);
  for (const id of ['resolve', 'statements']) {
    expect((await ask(id, { query: { reference: 'p/none:1' }, ...ofAll })).status).toBe(404);
    expect((await ask(id, { query: { reference: 'p/orders:gone' }, ...ofAll })).status).toBe(410);
  }
  // Uploads.
  const bytes = randomBytes(100);
  const given = await ask('grantUpload', { body: json(grantOf('1', bytes)), ...ofAll });
  expect(given.status).toBe(200);
  const { ticket, upload } = granted.parse(given.value);
  expect((await ask('finishUpload', { body: json({ ticket }) })).status).toBe(410);
  const { 'content-length': _, ...headers } = upload?.headers ?? {};
  expect((await fetch(upload?.url ?? '', { method: 'PUT', headers, body: bytes })).status).toBe(200);
  expect((await ask('finishUpload', { body: json({ ticket }) })).status).toBe(200);
  expect((await ask('grantUpload', { body: json(grantOf('1', randomBytes(100))), ...ofAll })).status).toBe(409);
  const late = granted.parse((await ask('grantUpload', { body: json(grantOf('2', bytes)), ...ofAll })).value);
  const path = join(scratch.path, 'taken');
  await writeFile(path, 'taken');
  await store.push({ name: 'p/granted', version: '2', path });
  expect((await ask('finishUpload', { body: json({ ticket: late.ticket }) })).status).toBe(409);
  expect((await ask('finishUpload', { body: json({ ticket: 'guess' }) })).status).toBe(403);
  expect((await ask('grantUpload', { body: json(grantOf('1', bytes)) })).status).toBe(401);
  expect((await ask('grantUpload', { body: json(grantOf('1', bytes)), ...ofSome })).status).toBe(403);
  // Links.
  const body = json({ ...live, once: true });
  const made = await ask('makeLink', { body, ...ofAll });
  const way = z.object({ path: z.string() }).parse(made.value).path;
  const link = { path: decodeURIComponent(way.slice(way.lastIndexOf('/') + 1)) };
  expect((await ask('content', link)).value).toHaveLength(1000);
  expect((await ask('content', link)).status).toBe(403);
  expect((await ask('makeLink', { body })).status).toBe(401);
  expect((await ask('makeLink', { body, ...ofSome })).status).toBe(403);
  expect((await ask('makeLink', { body: json({ reference: 'p/none:1' }), ...ofAll })).status).toBe(404);
  expect((await ask('makeLink', { body: json({ reference: 'p/orders:gone' }), ...ofAll })).status).toBe(410);
  const second = await store.resolve('p/orders:2');
  const { ticket: lost } = await store.makeLink({ artifact: second.artifact, expiresSeconds: 60, once: true });
  await client.delete({ bucket, key: layoutBelow('').blob(second.artifact.content.digest) });
  expect((await ask('content', { path: lost.reveal() })).status).toBe(410);
  for (const id of ['grantUpload', 'finishUpload', 'makeLink']) {
    for (const wrong of ['', '{', '[]', '{"x":1}', '"text"', `{"ticket":"${'x'.repeat(200_000)}"}`]) {
      expect((await ask(id, { body: wrong, ...ofAll })).status, `${id} ${wrong.slice(0, 20)}`).toBe(400);
    }
    const via = (to: string, init: RequestInit) => fetch(`${readOnly.url}${to}`, init);
    expect((await ask(id, { body: json({ ticket: 'x' }), ...ofAll, via })).status).toBe(403);
  }
  // A caller without patience, and a storage that has lost the bucket.
  const { apps, close } = inProcess();
  for (const id of operations.keys()) {
    const some = id === 'content' ? { path: `bwl..${'x'.repeat(43)}` } : {};
    const input = {
      resolve: live,
      statements: live,
      versions: { name: 'p/x' },
      history: { name: 'p/x', channel: 'c' },
    }[id];
    const query = input === undefined ? {} : { query: input };
    const text = {
      grantUpload: json(grantOf('9', bytes)),
      makeLink: body,
      finishUpload: json({ ticket: `bwu..${'x'.repeat(43)}` }),
    }[id];
    const request = { ...some, ...query, ...(text === undefined ? {} : { body: text }), ...ofAll };
    expect((await ask(id, { ...request, via: apps.broken })).status, id).toBe(502);
    let status = 0;
    for (let count = 0; status !== 429 && count < 5; count += 1)
      ({ status } = await ask(id, { ...request, via: apps.slow }));
    expect(status, id).toBe(429);
  }
  close();
  const documented = [...operations].flatMap(([id, { is }]) =>
    Object.keys(is.responses).map((status) => `${id} ${status}`),
  );
  // Nothing can be wrong in a request that has no parameters.
  expect(documented.filter((each) => !seen.has(each)).sort()).toEqual(['content 400', 'names 400', 'names 403']);
}, 120_000);

/** The same API without sockets of its own: over a bucket that is not there, and with a rate of one. */
function inProcess() {
  const provider = providerNamed('embedded');
  if (provider === undefined) throw new Error('no profile');
  const lost = artifacts({ client, bucket: `${bucket}-lost`, prefix: '', provider });
  const options = { tokens: () => [all.entry, some.entry], writes: true, log: silentLogger };
  const clock = { now: () => Date.now() };
  const broken = createArtifactApi({ ...options, store: () => lost, rate: 1000, clock });
  const via = (app: () => ReturnType<typeof createArtifactApi>) => async (path: string, init: RequestInit) =>
    app().app.request(path, init);
  const slow = new Map<string, ReturnType<typeof createArtifactApi>>();
  const still = { now: () => 0 };
  const slowOf = (path: string) => {
    const at = path.split('?')[0] ?? '';
    const known = slow.get(at) ?? createArtifactApi({ ...options, store: () => lost, rate: 1, clock: still });
    slow.set(at, known);
    return known;
  };
  return {
    apps: {
      broken: via(() => broken),
      slow: (path: string, init: RequestInit) => via(() => slowOf(path))(path, init),
    },
    close: () => slow.clear(),
  };
}

test('the validator refuses what the document does not describe', () => {
  const error = { $ref: '#/components/schemas/Error' };
  validate(error, { error: { code: 'x', message: 'y' } }, 'right');
  for (const wrong of [
    {},
    { error: {} },
    { error: { code: 'x', message: 1 } },
    { error: { code: 'x', message: 'y' }, more: 1 },
  ]) {
    expect(() => validate(error, wrong, 'wrong')).toThrow('wrong');
  }
});

test('whatever is asked, the answer is one that is documented, and never a failure of ours', async () => {
  const word = fc.oneof(
    fc.constantFrom(
      'p/orders',
      'p/orders:1',
      'p/orders@live',
      'p/orders@sha256:0',
      '../x',
      'p/..',
      '*',
      '0',
      '-1',
      '1e9',
      '',
    ),
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 10 }),
  );
  const value = fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 1 }));
  const identity = fc.constantFrom(
    bearer(all),
    bearer(some),
    {},
    { authorization: 'Bearer x' },
    { authorization: 'Basic x' },
    {
      signature: 'sig=:x:',
      'signature-input': 'sig=("@method");created=1;keyid="all";alg="ed25519";nonce="0123456789abcdef"',
    },
  );
  const bodyNames = ['reference', 'expires', 'once', 'address', 'ticket', 'name', 'version', 'content', 'labels', 'x'];
  const request = fc.record({
    id: fc.constantFrom(...operations.keys()),
    words: fc.dictionary(fc.constantFrom('reference', 'name', 'channel', 'limit', 'wait', 'expires', 'x'), word),
    body: fc.oneof(fc.dictionary(fc.constantFrom(...bodyNames), value).map(json), fc.string({ maxLength: 50 })),
    path: fc.oneof(fc.constant(`bwl..${'x'.repeat(43)}`), fc.string({ minLength: 1, maxLength: 60 })),
    headers: identity,
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ id, words, body, path, headers }) => {
      // `wait` only waits with the current ETag, which nothing here has.
      const posts = operations.get(id)?.method === 'post';
      // A step that is a dot is no step of a path: the URL's parser takes it away.
      const step = /^\.{1,2}$/.test(path) ? 'x' : path;
      const { status } = await ask(id, { query: words, path: step, headers, ...(posts ? { body } : {}) });
      expect(status).not.toBe(500);
    }),
    { numRuns: Number(process.env.CONTRACT_RUNS ?? 300) },
  );
}, 300_000);
