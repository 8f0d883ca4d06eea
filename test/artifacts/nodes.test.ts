import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type ArtifactStore, artifacts } from '../../src/artifacts/index.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { createApiClient, newToken, type Token } from '../../src/control/index.ts';
import { signatureHeaders } from '../../src/control/signatures.ts';
import { MINUTE } from '../../src/core/durations.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { bucketName, cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { CommandFailed } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { artifact, type ServedApi, serveApi, settingsFor } from './serve.ts';

// Machines without S3 keys: they have a token or a key of their own, and the address of the API.
const bucket = bucketName('nodes');
const pair = generateKeyPairSync('ed25519');
const maker = generateKeyPairSync('ed25519');
const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const node: Token = { id: 'node-7', names: ['p/*'], publicKey };
const ci = newToken({ id: 'ci', names: ['p/*'], push: ['p/*'] });
let server: TestServer;
let client: ObjectClient;
let scratch: TemporaryDirectory;
let api: ServedApi;
let store: ArtifactStore;
const at = (name: string) => join(scratch.path, name);

beforeAll(async () => {
  server = await startServer();
  client = createClient(connectionTo(server, 'embedded'));
  scratch = await temporaryDirectory('nodes');
  await client.createBucket(bucket);
  const provider = providerNamed('embedded');
  if (provider === undefined) throw new Error('no profile');
  store = artifacts({ client, bucket, prefix: '', provider });
  api = await serveApi(settingsFor(server, 'embedded', bucket), scratch.path, [node, ci.entry], ['--allow-writes']);
  await writeFile(at('node.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(at('maker.pub'), maker.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(at('token'), `${ci.token.reveal()}\n`, { mode: 0o600 });
  for (const version of ['1', '2']) {
    await mkdir(at(version));
    await writeFile(at(`${version}/file`), version);
    const { artifact } = await store.push({ name: 'p/orders', version, path: at(version) });
    if (version === '1')
      await store.attest(artifact, { builder: 'https://ci/1', buildType: 'https://ci/v1' }, maker.privateKey);
  }
  await writeFile(at('large'), randomBytes(20 * 1024 * 1024 + 1));
  await store.push({ name: 'p/large', version: '1', path: at('large') });
  await promote('1');
}, 120_000);
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  client?.close();
  await server?.[Symbol.asyncDispose]();
  await scratch?.remove();
}, 180_000);

const promote = (version: string) =>
  store.promote({ reference: { by: 'version', name: 'p/orders', version }, channel: 'live', by: 'test' });
const byKey = () => ['--api', api.url, '--id', 'node-7', '--key', at('node.pem')];
const byToken = () => ['--api', api.url, '--token-file', at('token')];

test('a node without S3 keys pulls what a trusted key has signed, checked', async () => {
  const pulled = await artifact([
    'pull',
    'p/orders@live',
    '--to',
    at('placed'),
    '--trust',
    at('maker.pub'),
    ...byKey(),
  ]);
  expect(pulled).toContain('in place, checked');
  expect(await readFile(at('placed/file'), 'utf8')).toBe('1');
  await artifact(['pull', 'p/large:1', '--to', at('large-again'), ...byToken()]);
  const digests = await Promise.all(['large', 'large-again'].map((name) => readFile(at(name))));
  expect(digests[0]?.equals(digests[1] ?? Buffer.of())).toBe(true);
  const unsigned = artifact(['pull', 'p/orders:2', '--to', at('unsigned'), '--trust', at('maker.pub'), ...byKey()]);
  await expect(unsigned).rejects.toThrow('not signed by a trusted key');
  await expect(artifact(['pull', 'q/x:1', '--to', at('x'), ...byKey()])).rejects.toThrow('may not read this name');
}, 180_000);

test('a node without S3 keys follows its channel through the API, waiting and not asking', async () => {
  const log = at('watched.log');
  const script = `echo "$BUCKETWRIGHT_ARTIFACT_VERSION" >> ${log}`;
  const child = spawn(
    process.execPath,
    [
      commandLine,
      'artifact',
      'watch',
      'p/orders@live',
      '--to',
      at('watched'),
      ...byKey(),
      '--',
      '/bin/sh',
      '-c',
      script,
    ],
    { stdio: 'ignore', env: cleanEnvironment() },
  );
  const exited = new Promise((done) => child.once('exit', done));
  try {
    const logged = async (text: string) => {
      await expect.poll(async () => readFile(log, 'utf8').catch(() => ''), { timeout: 30_000 }).toBe(text);
    };
    await logged('1\n');
    await promote('2');
    await logged('1\n2\n');
    expect(await readFile(at('watched/file'), 'utf8')).toBe('2');
  } finally {
    child.kill();
    await exited;
  }
}, 180_000);

test('a job without S3 keys packs, is granted, sends, and there is a version', async () => {
  const job = at('dist');
  await mkdir(job);
  await writeFile(join(job, 'main.js'), 'built');
  const packed = z
    .object({ digest: z.string(), size: z.number() })
    .parse(JSON.parse(await artifact(['pack', job, '--json'])));
  const facts = ['--digest', packed.digest, '--size', String(packed.size), '--title', 'dist', '--revision', 'abc'];
  await writeFile(at('grant.json'), await artifact(['grant', 'p/orders:3', ...facts, ...byToken()]));
  // Other bytes than those that were granted do not get in, whoever has the grant.
  await mkdir(at('other'));
  await writeFile(at('other/main.js'), 'BUILT');
  await expect(artifact(['send', at('other'), '--grant', at('grant.json')])).rejects.toThrow(
    'not those that the signed URL names',
  );
  await expect(store.resolve('p/orders:3')).rejects.toMatchObject({ code: 'no-such-version' });
  expect(await artifact(['send', job, '--grant', at('grant.json')])).toContain('made');
  const made = await store.resolve('p/orders:3');
  expect(made.artifact).toMatchObject({
    creator: 'ci',
    revision: 'abc',
    content: { digest: packed.digest, title: 'dist' },
  });
  await expect(artifact(['grant', 'q/x:1', ...facts, ...byToken()])).rejects.toThrow('may not upload this name');
  // Without an API whoever granted it makes the version.
  const settings = settingsFor(server, 'embedded', bucket);
  await writeFile(at('grant-2.json'), await artifact(['grant', 'p/orders:4', ...facts], settings));
  expect(await artifact(['send', job, '--grant', at('grant-2.json')])).toContain('nothing had to be sent');
  const { ticket } = z.object({ ticket: z.string() }).parse(JSON.parse(await readFile(at('grant-2.json'), 'utf8')));
  expect(await artifact(['finish', ticket], settings)).toContain('made');
  expect((await store.resolve('p/orders:4')).artifact.content.digest).toBe(packed.digest);
}, 180_000);

test('a link can be used once, by one of many; and from its address only', async () => {
  const { url } = z
    .object({ url: z.string() })
    .parse(JSON.parse(await artifact(['url', 'p/large:1', '--once', '--json', ...byToken()])));
  const wanted = (await store.resolve('p/large:1')).artifact.content.digest;
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const answer = await fetch(url);
      return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
    }),
  );
  const winners = answers.filter(({ status }) => status === 200);
  expect(winners).toHaveLength(1);
  expect(
    `sha256:${createHash('sha256')
      .update(winners[0]?.bytes ?? '')
      .digest('hex')}`,
  ).toBe(wanted);
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(7);
  const bound = async (address: string) =>
    fetch((await artifact(['url', 'p/orders:1', '--address', address, ...byToken()])).trim());
  expect((await bound('127.0.0.0/8')).status).toBe(200);
  expect((await bound('10.1.2.3')).status).toBe(403);
  await expect(bound('nowhere')).rejects.toThrow('no IP address');
  await expect(artifact(['url', 'p/orders:1', '--once'], settingsFor(server, 'embedded', bucket))).rejects.toThrow(
    'cannot be limited to one use',
  );
  // Neither tickets nor tokens are in the log.
  expect(api.log()).not.toContain(new URL(url).pathname.split('.').at(-1));
}, 180_000);

test('a signature is of one request, one time and one key', async () => {
  const { host } = new URL(api.url);
  const query = '?reference=p/orders:1';
  const signable = { method: 'GET', authority: host, path: '/v1/resolve', query, body: undefined };
  const status = async (headers: Readonly<Record<string, string>>, path = `/v1/resolve${query}`) => {
    const answer = await fetch(`${api.url}${path}`, { headers });
    return [
      answer.status,
      z.object({ error: z.object({ code: z.string() }).optional() }).parse(await answer.json()).error?.code,
    ];
  };
  const signed = (key = pair.privateKey, id = 'node-7', now = Date.now(), what = signable) =>
    signatureHeaders(what, id, key, now);
  const good = signed();
  expect(await status(good)).toEqual([200, undefined]);
  expect(await status(good), 'sent again').toEqual([401, 'unauthorized']);
  expect(await status(signed(maker.privateKey)), 'another key').toEqual([401, 'unauthorized']);
  expect(await status(signed(pair.privateKey, 'ci')), 'an id that has a token').toEqual([401, 'unauthorized']);
  expect(await status(signed(), '/v1/resolve?reference=p/orders:2'), 'another query').toEqual([401, 'unauthorized']);
  expect(await status(signed(), `/v1/statements${query}`), 'another path').toEqual([401, 'unauthorized']);
  expect(await status(signed(pair.privateKey, 'node-7', Date.now(), { ...signable, method: 'POST' }))).toEqual([
    401,
    'unauthorized',
  ]);
  expect(await status(signed(pair.privateKey, 'node-7', Date.now(), { ...signable, authority: 'elsewhere' }))).toEqual([
    401,
    'unauthorized',
  ]);
  const { signature, 'signature-input': input = '' } = signed();
  expect(await status({ 'signature-input': input }), 'no signature').toEqual([401, 'unauthorized']);
  const later = input.replace(/created=\d+/, `created=${Math.floor(Date.now() / 1000) + 1}`);
  expect(await status({ 'signature-input': later, signature: signature ?? '' }), 'another time').toEqual([
    401,
    'unauthorized',
  ]);
  const fewer = input.replace(' "@query"', '');
  expect(await status({ 'signature-input': fewer, signature: signature ?? '' }), 'less covered').toEqual([
    401,
    'unauthorized',
  ]);
  for (const skew of [-6 * MINUTE, 6 * MINUTE]) {
    expect(await status(signed(pair.privateKey, 'node-7', Date.now() + skew)), 'clock skew').toEqual([
      401,
      'clock-skew',
    ]);
  }
  // A body belongs to its signature.
  const body = Buffer.from(JSON.stringify({ reference: 'p/orders:1' }));
  const post = (sent: string, headers: Readonly<Record<string, string>>) =>
    fetch(`${api.url}/v1/links`, { method: 'POST', body: sent, headers }).then((answer) => answer.status);
  const link = { method: 'POST', authority: host, path: '/v1/links', query: '?', body };
  expect(await post(body.toString(), signatureHeaders(link, 'node-7', pair.privateKey, Date.now()))).toBe(200);
  const forged = signatureHeaders(link, 'node-7', pair.privateKey, Date.now());
  expect(await post(JSON.stringify({ reference: 'p/orders:2' }), forged)).toBe(401);
}, 180_000);

test('the signature base is what RFC 9421 says', () => {
  const now = 1_618_884_473_000;
  const input = { method: 'GET', authority: 'example.com', path: '/v1/names', query: '?', body: undefined };
  const { signature = '', 'signature-input': parameters = '' } = signatureHeaders(input, 'k', pair.privateKey, now);
  const lines = [
    '"@method": GET',
    '"@authority": example.com',
    '"@path": /v1/names',
    '"@query": ?',
    `"@signature-params": ${parameters.replace(/^sig=/, '')}`,
  ].join('\n');
  const given = Buffer.from(signature.replace(/^sig=:|:$/g, ''), 'base64');
  expect(parameters).toContain('created=1618884473;keyid="k";alg="ed25519"');
  expect(verify(null, Buffer.from(lines), pair.publicKey, given)).toBe(true);
});

test('an API that lies about an artifact is found out', async () => {
  const { artifact: real } = await store.resolve('p/orders:1');
  const honest = createApiClient(api.url, { kind: 'token', token: ci.token });
  expect((await honest.source.resolve({ by: 'digest', name: 'p/orders', digest: real.digest })).artifact).toEqual(real);
  // It answers for each reference what stands for another one.
  const liar = createServer((incoming, answer) => {
    const other = request(`${api.url}/v1/resolve?reference=p/orders:2`, {
      headers: { authorization: incoming.headers.authorization },
    });
    other.on('response', (response) => response.pipe(answer));
    other.end();
  });
  await new Promise<void>((ready) => liar.listen(0, '127.0.0.1', ready));
  const address = liar.address();
  const port = typeof address === 'object' ? address?.port : 0;
  try {
    const { source } = createApiClient(`http://127.0.0.1:${port}`, { kind: 'token', token: ci.token });
    for (const reference of [
      { by: 'version', name: 'p/orders', version: '1' },
      { by: 'digest', name: 'p/orders', digest: real.digest },
      { by: 'channel', name: 'p/large', channel: 'live' },
    ] as const) {
      await expect(source.resolve(reference)).rejects.toMatchObject({ code: 'content-damaged' });
    }
  } finally {
    await new Promise((done) => liar.close(done));
  }
  for (const wrong of ['ftp://x', 'x', 'http://artifacts.example.com', 'https://user@example.com', 'https://x?y']) {
    expect(() => createApiClient(wrong, { kind: 'none' }), wrong).toThrow();
  }
}, 180_000);

test('what is refused is said in one line, with the code that the command line promises', async () => {
  const failure = async (...args: string[]) => {
    const error = await artifact(args).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof CommandFailed)) throw new Error('it did not fail');
    return error.message;
  };
  await writeFile(at('wrong-token'), 'bwa_wrong');
  const place = ['--to', at('nowhere')];
  expect(await failure('pull', 'p/orders:1', ...place, '--api', api.url, '--token-file', at('wrong-token'))).toContain(
    'exit code 77',
  );
  expect(await failure('pull', 'p/orders:1', ...place, '--api', 'http://127.0.0.1:1')).toContain('exit code 69');
  expect(await failure('pull', 'p/orders:1', ...place, '--api', api.url, '--key', at('node.pem'))).toContain(
    'exit code 64',
  );
  expect(await failure('pull', 'p/orders:9', ...place, ...byKey())).toContain('exit code 1');
}, 180_000);
