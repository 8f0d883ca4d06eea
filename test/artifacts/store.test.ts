import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArtifactStore, artifacts } from '../../src/artifacts/index.ts';
import { layoutBelow } from '../../src/artifacts/layout.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { DAY, HOUR, MINUTE } from '../../src/core/durations.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { connectionTo, onEach } from '../provision/targets.ts';
import { bucketName, type DisposableEndpoint } from '../support/endpoint.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

onEach('the artifact store', (target) => {
  let endpoint: DisposableEndpoint;
  let client: ObjectClient;
  let scratch: TemporaryDirectory;
  const bucket = bucketName('artifacts');
  const provider = providerNamed(target.name);
  let moved = 0;
  const clock = { now: () => Date.now() + moved };
  const open = (options: { client?: ObjectClient; tenant?: string; prefix?: string } = {}): ArtifactStore => {
    if (provider === undefined) throw new Error(target.name);
    return artifacts({ client, bucket, prefix: 'a/', provider, clock, ...options });
  };
  beforeAll(async () => {
    endpoint = await target.start();
    client = createClient(connectionTo(endpoint, target.name), { sockets: 64 });
    scratch = await temporaryDirectory('artifacts');
    await client.createBucket(bucket);
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
    await scratch?.remove();
  }, 90_000);

  const bundle = async (text: string) => {
    const path = join(scratch.path, `bundle-${randomBytes(4).toString('hex')}`);
    await mkdir(join(path, 'sub'), { recursive: true });
    await writeFile(join(path, 'sub/file'), text);
    await writeFile(join(path, 'run'), '#!/bin/sh\n', { mode: 0o755 });
    return path;
  };
  const push = (name: string, version: string, path: string, store = open()) => store.push({ name, version, path });
  const promote = (name: string, version: string, channel = 'live', store = open()) =>
    store.promote({ reference: { by: 'version', name, version }, channel, by: 'test' });

  test('what is pushed comes back by version, channel and digest, into place at once', async () => {
    const store = open();
    const path = await bundle('one');
    const first = await store.push({ name: 'p/orders', version: '1', path, labels: { team: 'x' }, revision: 'abc' });
    expect(first.created).toBe(true);
    expect(first.uploaded).toBe(first.artifact.content.size);
    const again = await push('p/orders', '2', path);
    expect([again.created, again.uploaded]).toEqual([true, 0]);
    await push('p/orders', '3', await bundle('three'));
    await promote('p/orders', '1');
    const target = join(scratch.path, 'placed');
    for (const reference of ['p/orders:1', 'p/orders@live', `p/orders@${first.artifact.digest}`]) {
      const { artifact } = await store.resolve(reference);
      expect(artifact).toEqual(first.artifact);
      await store.pull({ artifact, target });
      expect(await readFile(join(target, 'sub/file'), 'utf8')).toBe('one');
    }
    const before = await readlink(target);
    await store.pull({ artifact: (await store.resolve('p/orders:3')).artifact, target });
    expect(await readFile(join(target, 'sub/file'), 'utf8')).toBe('three');
    expect(await readFile(join(scratch.path, before, 'sub/file'), 'utf8')).toBe('one');
    expect(await all(store.names())).toEqual(['p/orders']);
    expect((await all(store.versions('p/orders'))).map(({ version }) => version)).toEqual(['1', '2', '3']);
    const after = (await store.resolve('p/orders:3')).artifact;
    expect(await store.diff(first.artifact, after)).toEqual([{ path: 'sub/file', change: 'changed' }]);
  }, 60_000);

  test('a version is never used twice', async () => {
    const path = await bundle('same');
    await push('reuse', '1', path);
    expect((await push('reuse', '1', path)).created).toBe(false);
    await expect(push('reuse', '1', await bundle('other'))).rejects.toMatchObject({ code: 'version-exists' });
    const racers = await Promise.allSettled(
      Array.from({ length: 6 }, async (_, index) => push('reuse', '2', await bundle(`racer ${index}`))),
    );
    expect(racers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  }, 60_000);

  test('a channel goes forward and back, and says how', async () => {
    for (const version of ['1', '2']) await push('roll', version, await bundle(version));
    await promote('roll', '1');
    await promote('roll', '2');
    expect((await promote('roll', '2')).changed).toBe(false);
    const store = open();
    const wrong = { reference: { by: 'version', name: 'roll', version: '1' }, channel: 'live', by: 'x' } as const;
    await expect(store.promote({ ...wrong, expect: '1' })).rejects.toMatchObject({ code: 'channel-moved' });
    const failing = async () => [{ id: 'smoke', status: 'fail' as const, subject: 's', found: 'it burns' }];
    await expect(store.promote({ ...wrong, checks: failing })).rejects.toMatchObject({ code: 'checks-failed' });
    const back = await store.rollback({ name: 'roll', channel: 'live', by: 'me', reason: 'why not' });
    expect(back.artifact.version).toBe('1');
    const entries = await all(store.history('roll', 'live'));
    expect(entries.map(({ number, action, version }) => [number, action, version])).toEqual([
      [3, 'rollback', '1'],
      [2, 'promote', '2'],
      [1, 'promote', '1'],
    ]);
    const findings = await all(store.verify('roll', { content: true }));
    expect(findings.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
  }, 60_000);

  test('of 32 promoters at once exactly one wins each round, and the history is whole', async () => {
    const path = await bundle('crowd');
    const versions = Array.from({ length: 32 }, (_, index) => `v${index}`);
    // The same content, but 32 manifests.
    for (const version of versions) await push('crowd', version, path);
    for (let round = 0; round < 3; round += 1) {
      const current = (await all(open().history('crowd', 'live')))[0]?.version;
      const racers = versions.filter((version) => version !== current);
      const expected = current ?? 'none';
      const outcomes = await Promise.allSettled(
        racers.map((version) =>
          open().promote({
            reference: { by: 'version', name: 'crowd', version },
            channel: 'live',
            by: version,
            expect: expected,
          }),
        ),
      );
      const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      expect(winners).toHaveLength(1);
      expect(winners[0]?.entry.number).toBe(round + 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'channel-moved' });
      }
      expect((await open().resolve('crowd@live')).artifact.version).toBe(winners[0]?.entry.by);
    }
    expect(await open().entries('crowd', 'live')).toBe(3);
    const [channel] = await all(open().verify('crowd', { content: false }));
    expect(channel).toMatchObject({ id: 'channel', status: 'ok' });
  }, 180_000);

  test('content that was altered, cut or removed is not put into place', async () => {
    const path = await bundle('true');
    const { artifact } = await push('hurt', '1', path);
    const target = join(scratch.path, 'hurt');
    const key = layoutBelow('a/').blob(artifact.content.digest);
    const { body } = await client.get({ bucket, key });
    const bytes = Buffer.concat(await all(body));
    const altered = Buffer.from(bytes);
    altered[600] = (altered[600] ?? 0) ^ 1;
    const cases = [
      ['content-damaged', altered],
      ['content-damaged', bytes.subarray(0, 700)],
      ['content-damaged', Buffer.concat([bytes, Buffer.from('more')])],
    ] as const;
    for (const [code, content] of cases) {
      await client.put({ bucket, key, body: { bytes: content } });
      await expect(open().pull({ artifact, target })).rejects.toMatchObject({ code });
      await expect(readFile(target)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    await client.delete({ bucket, key });
    await expect(open().pull({ artifact, target })).rejects.toMatchObject({ code: 'content-missing' });
    await expect(promote('hurt', '1')).rejects.toMatchObject({ code: 'content-missing' });
    expect((await push('hurt', '1', path)).uploaded).toBe(bytes.length);
    await open().pull({ artifact, target });
    await promote('hurt', '1');
    const manifest = layoutBelow('a/').blob(artifact.digest);
    await client.put({ bucket, key: manifest, body: { bytes: '{}' } });
    await expect(open().resolve('hurt@live')).rejects.toMatchObject({ code: 'content-damaged' });
  }, 60_000);

  test('an upload that broke off goes on with the parts that are there', async () => {
    const path = join(scratch.path, 'large');
    const content = randomBytes(20 * 1024 * 1024);
    await writeFile(path, content);
    const digest = createHash('sha256').update(content).digest('hex');
    const address = { bucket, key: layoutBelow('a/').blob(`sha256:${digest}`) };
    const uploadId = await client.createUpload(address);
    await client.uploadPart({ ...address, uploadId, number: 1, bytes: content.subarray(0, 8 * 1024 * 1024) });
    // A part of other bytes, as another file of the same name would leave it, must not be used.
    await client.uploadPart({ ...address, uploadId, number: 2, bytes: randomBytes(8 * 1024 * 1024) });
    const sent: number[] = [];
    const counting: ObjectClient = {
      ...client,
      uploadPart: (request) => {
        sent.push(request.number);
        return client.uploadPart(request);
      },
    };
    const { artifact } = await push('large', '1', path, open({ client: counting }));
    expect(sent.sort()).toEqual([2, 3]);
    const target = join(scratch.path, 'large-again');
    await open().pull({ artifact, target });
    expect(content.equals(await readFile(target))).toBe(true);
    expect((await push('large', '2', path)).uploaded).toBe(0);
  }, 120_000);

  test('gc marks, waits, removes; what a channel needs stays, and nothing marked is used', async () => {
    const store = open({ prefix: 'gc/' });
    const paths = [await bundle('gc 1'), await bundle('gc 2'), await bundle('gc 3')];
    for (const [index, path] of paths.entries()) await push('g', `${index + 1}`, path, store);
    await promote('g', '1', 'live', store);
    const options = { versions: 1, entries: 1, grace: HOUR };
    expect((await store.planGc(options)).actions).toEqual([]);
    moved = 2 * HOUR;
    const second = (await store.resolve('g:2')).artifact;
    const plan = await store.planGc(options);
    // Which of 1 to 3 is the newest is the provider's word, to the second; 1 is kept by its channel.
    expect(plan.actions.length).toBeGreaterThanOrEqual(1);
    expect(plan.actions.every(({ kind }) => kind === 'mark')).toBe(true);
    await store.applyGc(plan);
    const marked = plan.actions.some((action) => action.kind === 'mark' && action.digest === second.content.digest)
      ? second
      : (await store.resolve('g:3')).artifact;
    const forward = {
      reference: { by: 'version', name: 'g', version: marked.version },
      channel: 'live',
      by: 'x',
    } as const;
    await expect(store.promote(forward)).rejects.toMatchObject({ code: 'condemned' });
    // Within the last minutes of the grace period nobody may take the mark away any more.
    moved += HOUR - 5 * MINUTE;
    await expect(store.spare(marked)).rejects.toMatchObject({ code: 'condemned' });
    moved += 10 * MINUTE;
    const sweep = await store.planGc(options);
    expect(sweep.actions.map(({ kind }) => kind)).toContain('remove');
    await store.applyGc(sweep);
    expect((await store.planGc(options)).actions).toEqual([]);
    await store.pull({ artifact: (await store.resolve('g@live')).artifact, target: join(scratch.path, 'gc-live') });
    await expect(store.pull({ artifact: marked, target: join(scratch.path, 'gc-gone') })).rejects.toMatchObject({
      code: 'content-missing',
    });
    const again = await push('g', marked.version, paths[Number(marked.version) - 1] ?? '', store);
    expect([again.created, again.uploaded]).toEqual([false, marked.content.size]);
    moved = 0;
  }, 60_000);

  test('content marked in time is spared, by a push or by hand', async () => {
    const store = open({ prefix: 'spare/' });
    const path = await bundle('spared');
    const { artifact } = await push('s', '1', path, store);
    await push('s', '2', await bundle('newer'), store);
    const options = { versions: 0, entries: 1, grace: DAY };
    moved = 2 * DAY;
    const plan = await store.planGc(options);
    await store.applyGc(plan);
    await store.spare(artifact);
    await promote('s', '1', 'live', store);
    moved += 2 * DAY;
    await store.applyGc(await store.planGc(options));
    await store.pull({ artifact, target: join(scratch.path, 'spared') });
    moved = 0;
  }, 60_000);

  test('a provider that ignores If-None-Match is refused before anything is lost', async () => {
    const generic = providerNamed('generic');
    const garage = providerNamed('garage');
    if (generic === undefined || garage === undefined) throw new Error('no such profile');
    const path = await bundle('unsafe');
    const place = { bucket, prefix: 'unsafe/', clock };
    const proven = artifacts({ ...place, client, provider: generic });
    await push('u', '1', path, proven);
    const deaf: ObjectClient = { ...client, put: (request) => client.put({ ...request, ifAbsent: false }) };
    const unsafe = artifacts({ ...place, client: deaf, provider: generic });
    await expect(push('u', '2', path, unsafe)).rejects.toMatchObject({ code: 'no-conditional-writes' });
    await expect(promote('u', '1', 'live', unsafe)).rejects.toMatchObject({ code: 'no-conditional-writes' });
    await expect(push('u', '2', path, artifacts({ ...place, client, provider: garage }))).rejects.toMatchObject({
      code: 'no-conditional-writes',
    });
    expect((await all(proven.versions('u'))).map(({ version }) => version)).toEqual(['1']);
    expect(await all(proven.channels('u'))).toEqual([]);
  }, 60_000);

  test('tenants have the same names and nothing else in common', async () => {
    const [one, two] = [open({ tenant: 'one' }), open({ tenant: 'two' })];
    const path = await bundle('tenant');
    await push('shared', '1', path, one);
    expect((await push('shared', '1', path, two)).uploaded).toBeGreaterThan(0);
    await expect(open().resolve('shared:1')).rejects.toMatchObject({ code: 'no-such-version' });
    const { artifact } = await one.resolve('shared:1');
    const url = await one.url({ artifact, expiresSeconds: 60 });
    expect(new URL(url).pathname).toContain('/a/tenants/one/blobs/');
    expect((await fetch(url.replace('/tenants/one/', '/tenants/two/'))).status).toBe(403);
    const answer = await fetch(url);
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="bundle-\w+\.tar"$/);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(artifact.content.digest);
  }, 60_000);

  test('only what a trusted key has signed passes a policy', async () => {
    const [ours, theirs] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    const store = open();
    const { artifact } = await store.push({ name: 'signed', version: '1', path: await bundle('s'), revision: 'abc' });
    const unsigned = (await push('signed', '2', await bundle('t'))).artifact;
    const provenance = { builder: 'https://ci/1', buildType: 'https://ci/v1', source: 'git+https://code/x' };
    await store.attest(artifact, provenance, ours.privateKey);
    expect(await store.requireSignature(artifact, [theirs.publicKey, ours.publicKey])).toHaveLength(1);
    for (const [which, key] of [
      [artifact, theirs.publicKey],
      [unsigned, ours.publicKey],
    ] as const) {
      await expect(store.requireSignature(which, [key])).rejects.toMatchObject({ code: 'signature' });
    }
    // A signature that was moved to another artifact is none.
    const layout = layoutBelow('a/');
    for await (const entry of client.list({ bucket, prefix: layout.attached('signed', artifact.digest) })) {
      if (entry.kind !== 'object') continue;
      const { body } = await client.get({ bucket, key: entry.key });
      const bytes = Buffer.concat(await all(body));
      const key = layout.attachment('signed', unsigned.digest, 'statements', unsigned.digest);
      await client.put({ bucket, key, body: { bytes } });
    }
    await expect(store.requireSignature(unsigned, [ours.publicKey])).rejects.toMatchObject({ code: 'signature' });
    const [stored] = await all(store.statements(artifact, [ours.publicKey]));
    expect(stored?.statement.predicateType).toBe('https://slsa.dev/provenance/v1');
  }, 60_000);

  test('a watcher follows its channel, and runs a failing command again', async () => {
    for (const version of ['1', '2']) await push('watched', version, await bundle(version));
    await promote('watched', '1');
    const placed = join(scratch.path, 'watched');
    const log = join(scratch.path, 'watched.log');
    const ended = new AbortController();
    // Fails the first time, then notes what it was told.
    const script = `test -e ${log} || { touch ${log}; exit 3; }; echo "$BUCKETWRIGHT_ARTIFACT_VERSION" >> ${log}`;
    const watching = open().watch({
      reference: { by: 'channel', name: 'watched', channel: 'live' },
      target: placed,
      command: ['/bin/sh', '-c', script],
      environment: { PATH: process.env.PATH },
      interval: 100,
      log: silentLogger,
      signal: ended.signal,
    });
    const logged = async (text: string) => {
      await expect.poll(async () => readFile(log, 'utf8').catch(() => ''), { timeout: 20_000 }).toBe(text);
    };
    await logged('1\n');
    await promote('watched', '2');
    await logged('1\n2\n');
    expect(await readFile(join(placed, 'sub/file'), 'utf8')).toBe('2');
    ended.abort();
    await watching;
  }, 60_000);
});
