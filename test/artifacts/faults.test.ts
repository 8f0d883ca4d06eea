import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArtifactStore, artifacts } from '../../src/artifacts/index.ts';
import { layoutBelow } from '../../src/artifacts/layout.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { DAY, HOUR, MINUTE } from '../../src/core/durations.ts';
import { BucketwrightError } from '../../src/core/errors.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { connectionTo, onEach } from '../provision/targets.ts';
import { bucketName, type DisposableEndpoint } from '../support/endpoint.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { artifact as command, settingsFor } from './serve.ts';

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

const canMount = process.platform === 'linux' && process.getuid?.() === 0;

/** A connection that is lost in the middle of an answer. */
async function* brokenAfter(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let passed = 0;
  for await (const chunk of body) {
    if (passed > bytes) throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
    passed += chunk.length;
    yield chunk;
  }
}

onEach('faults and bad input', (target) => {
  let endpoint: DisposableEndpoint;
  let client: ObjectClient;
  let scratch: TemporaryDirectory;
  const bucket = bucketName('faults');
  const provider = providerNamed(target.name);
  const moved = 0;
  const open = (options: { client?: ObjectClient; tenant?: string; prefix?: string } = {}): ArtifactStore => {
    if (provider === undefined) throw new Error(target.name);
    return artifacts({ client, bucket, prefix: '', provider, clock: { now: () => Date.now() + moved }, ...options });
  };
  beforeAll(async () => {
    endpoint = await target.start();
    client = createClient(connectionTo(endpoint, target.name));
    scratch = await temporaryDirectory('faults');
    await client.createBucket(bucket);
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
    await scratch?.remove();
  }, 90_000);
  const fileOf = async (bytes: number) => {
    const path = join(scratch.path, randomBytes(6).toString('hex'));
    await writeFile(path, randomBytes(bytes));
    return path;
  };

  test('a download URL reads one content until it expires, and cannot be made into another', async () => {
    const [one, two] = [open({ tenant: 'one' }), open({ tenant: 'two' })];
    const { artifact } = await one.push({ name: 'u', version: '1', path: await fileOf(500) });
    const other = (await one.push({ name: 'u', version: '2', path: await fileOf(500) })).artifact;
    await two.push({ name: 'u', version: '1', path: await fileOf(500) });
    const url = one.url({ artifact, expiresSeconds: 600 });
    const status = async (to: string, method = 'GET') => {
      const answer = await fetch(to, { method, ...(method === 'PUT' ? { body: 'x' } : {}) });
      await answer.arrayBuffer();
      return answer.status;
    };
    expect(await status(url)).toBe(200);
    const look = one.url({ artifact, method: 'HEAD', expiresSeconds: 600 });
    expect([await status(look, 'HEAD'), await status(look)]).toEqual([200, 403]);
    const hex = (digest: string) => digest.slice('sha256:'.length);
    const forged: [string, string, string?][] = [
      ['another content', url.replace(hex(artifact.content.digest), hex(other.content.digest))],
      ['the manifest', url.replace(hex(artifact.content.digest), hex(artifact.digest))],
      ['another tenant', url.replace('/tenants/one/', '/tenants/two/')],
      ['above the tenant', url.replace('/tenants/one/', '/tenants/one/../two/')],
      ['above, encoded', url.replace('/tenants/one/', '/tenants/one/%2E%2E/two/')],
      ['a longer life', url.replace('X-Amz-Expires=600', 'X-Amz-Expires=6000')],
      ['an earlier time', url.replace(/X-Amz-Date=\d{8}/, 'X-Amz-Date=20200101')],
      ['another name for the file', url.replace('attachment', 'inline')],
      ['a changed signature', url.replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
      ['no signature', url.slice(0, url.indexOf('?'))],
      ['writing', url, 'PUT'],
      ['deleting', url, 'DELETE'],
    ];
    for (const [what, to, method] of forged) expect([400, 403], what).toContain(await status(to, method));
    const brief = one.url({ artifact, expiresSeconds: 1 });
    await sleep(2500);
    expect(await status(brief)).toBe(403);
    for (const seconds of [0, -1, 1.5, 604_801]) {
      expect(() => one.url({ artifact, expiresSeconds: seconds })).toThrow('1 second to 7 days');
    }
  }, 60_000);

  test('a bucket that is lost in the middle is said, and damages nothing', async () => {
    const store = open({ prefix: 'lost/' });
    const path = await fileOf(9 * 1024 * 1024);
    await store.push({ name: 'l', version: '1', path });
    await store.promote({ reference: { by: 'version', name: 'l', version: '1' }, channel: 'live', by: 'x' });
    const next = await fileOf(9 * 1024 * 1024);
    // The real server's real answers: from one request on they go to a bucket that is not there.
    const losing = (after: number): ObjectClient => {
      let requests = 0;
      const lose = <R extends object>(request: R): R => {
        requests += 1;
        return requests > after ? { ...request, bucket: `${bucket}-lost` } : request;
      };
      return {
        ...client,
        get: (request) => client.get(lose(request)),
        put: (request) => client.put(lose(request)),
        head: (request) => client.head(lose(request)),
        delete: (request) => client.delete(lose(request)),
        list: (request) => client.list(lose(request)),
        listUploads: (request) => client.listUploads(lose(request)),
        createUpload: (request) => client.createUpload(lose(request)),
        uploadPart: (request) => client.uploadPart(lose(request)),
        completeUpload: (request) => client.completeUpload(lose(request)),
      };
    };
    let failures = 0;
    for (let after = 0; after < 12; after += 2) {
      const broken = open({ prefix: 'lost/', client: losing(after) });
      const target = join(scratch.path, `lost-${after}`);
      const attempts = [
        () => broken.push({ name: 'l', version: `2-${after}`, path: next }),
        async () => broken.rollback({ name: 'l', channel: 'live', to: 1, by: 'x' }),
        async () => broken.pull({ artifact: (await store.resolve('l:1')).artifact, target }),
        async () => broken.applyGc(await broken.planGc({ versions: 0, entries: 1, grace: HOUR })),
      ];
      for (const attempt of attempts) {
        const error: unknown = await attempt().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) continue;
        failures += 1;
        if (!(error instanceof BucketwrightError)) throw error;
        expect(['no-such-bucket', 'no-such-key', 'no-such-upload', 'content-missing', 'no-such-channel']).toContain(
          error.code,
        );
        expect(error.advice).toMatch(/./);
      }
      const findings = await all(store.verify('l', { content: false }));
      expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    }
    expect(failures).toBeGreaterThan(10);
    expect((await all(store.verify('l', { content: true }))).every(({ status }) => status === 'ok')).toBe(true);
  }, 180_000);

  test('a provider that refuses before all was sent ends no process of ours', async () => {
    const bytes = Buffer.alloc(8 * 1024 * 1024);
    const address = { bucket: `${bucket}-none`, key: 'k' };
    for (let round = 0; round < 15; round += 1) {
      const sent = [1, 2].map((number) => client.uploadPart({ ...address, uploadId: 'x', number, bytes, crc32: 0 }));
      const small = client.put({ ...address, body: { bytes: 'x' } });
      for (const outcome of await Promise.allSettled([...sent, small])) {
        expect(outcome.status === 'rejected' && outcome.reason instanceof BucketwrightError).toBe(true);
      }
    }
  }, 60_000);

  test('a bomb is refused before it fills the disk, and leaves nothing', async () => {
    const store = open();
    const directory = join(scratch.path, 'bomb');
    await mkdir(directory);
    for (let index = 0; index < 50; index += 1) await writeFile(join(directory, `f${index}`), 'x'.repeat(1000));
    const { artifact } = await store.push({ name: 'bomb', version: '1', path: directory });
    const place = join(scratch.path, 'bombed');
    await mkdir(place);
    for (const limits of [
      { bytes: 49_000, entries: 1000 },
      { bytes: 1_000_000, entries: 49 },
    ]) {
      const target = join(place, 'x');
      await expect(store.pull({ artifact, target, limits })).rejects.toMatchObject({ code: 'unsafe-archive' });
      expect(await readdir(join(place, '.x.artifacts'))).toEqual([]);
      await expect(readdir(target)).rejects.toMatchObject({ code: 'ENOENT' });
    }
  }, 60_000);

  test('what killed file pulls left is removed after a day, and nothing younger', async () => {
    const store = open();
    const { artifact } = await store.push({ name: 'left', version: '1', path: await fileOf(100) });
    const place = join(scratch.path, 'left');
    await mkdir(place);
    const [old, young, foreign] = ['0', '1', '2'].map((digit) => join(place, `.bucketwright-${digit.repeat(16)}.part`));
    for (const path of [old, young, `${foreign}x`]) await writeFile(path ?? '', 'left');
    const before = new Date(Date.now() - 2 * DAY);
    for (const path of [old ?? '', `${foreign}x`]) await utimes(path, before, before);
    await store.pull({ artifact, target: join(place, 'file') });
    expect((await readdir(place)).sort()).toEqual([
      `.bucketwright-${'1'.repeat(16)}.part`,
      `.bucketwright-${'2'.repeat(16)}.partx`,
      'file',
    ]);
  }, 60_000);

  test('a bill of materials comes back as it was, and says who signed it', async () => {
    const store = open();
    const [ours, theirs] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    const { artifact } = await store.push({ name: 'bill', version: '1', path: await fileOf(100) });
    const other = (await store.push({ name: 'bill', version: '2', path: await fileOf(100) })).artifact;
    const bill = Buffer.from(JSON.stringify({ bomFormat: 'CycloneDX', components: [] }));
    const digest = await store.attachBill(artifact, bill, ours.privateKey);
    await store.attachBill(artifact, Buffer.from('{"spdxVersion":"SPDX-2.3"}'));
    const keys = [theirs.publicKey, ours.publicKey];
    const found = await all(store.bills(artifact, keys));
    expect(found).toHaveLength(2);
    expect(found.map(({ signedBy }) => signedBy.length).sort()).toEqual([0, 1]);
    expect(found.find((each) => each.digest === digest)?.signedBy).toHaveLength(1);
    expect(await all(store.bills(artifact, [theirs.publicKey]))).toMatchObject([{ signedBy: [] }, { signedBy: [] }]);
    expect((await store.readBill(artifact, digest)).equals(bill)).toBe(true);
    // A signature about the bill does not say that the artifact may be used.
    await expect(store.requireSignature(artifact, keys)).rejects.toMatchObject({ code: 'signature' });
    const layout = layoutBelow('');
    await client.put({
      bucket,
      key: layout.attachment('bill', artifact.digest, 'sbom', digest),
      body: { bytes: '{}' },
    });
    await expect(store.readBill(artifact, digest)).rejects.toMatchObject({ code: 'content-damaged' });
    // Moved to another artifact it is unsigned.
    await client.put({ bucket, key: layout.attachment('bill', other.digest, 'sbom', digest), body: { bytes: bill } });
    for await (const entry of client.list({
      bucket,
      prefix: `${layout.attached('bill', artifact.digest)}statements/`,
    })) {
      if (entry.kind !== 'object') continue;
      const { body } = await client.get({ bucket, key: entry.key });
      const bytes = Buffer.concat(await all(body));
      await client.put({ bucket, key: layout.attachment('bill', other.digest, 'statements', digest), body: { bytes } });
    }
    expect(await all(store.bills(other, keys))).toMatchObject([{ digest, signedBy: [] }]);
  }, 60_000);

  test('content in many ranges comes back whole, and what breaks in the middle is taken up again', async () => {
    const store = open();
    const path = await fileOf(40 * 1024 * 1024 + 7);
    const { artifact } = await store.push({ name: 'ranges', version: '1', path });
    const asked: string[] = [];
    let broken = 0;
    const breaking: ObjectClient = {
      ...client,
      async get(request) {
        const turn = request.range === undefined ? 0 : asked.push(`${request.range.start}`);
        const answer = await client.get(request);
        if (turn !== 2 && turn !== 5) return answer;
        broken += 1;
        return { ...answer, body: Readable.from(brokenAfter(answer.body, 1024 * 1024)) };
      },
    };
    const target = join(scratch.path, 'ranges');
    await open({ client: breaking }).pull({ artifact, target });
    expect((await readFile(target)).equals(await readFile(path))).toBe(true);
    expect(broken).toBe(2);
    expect(new Set(asked).size).toBeGreaterThan(5);
  }, 60_000);

  skipUnless(canMount, 'mounting a small file system needs Linux and root')('a full disk', () => {
    test('is said, and keeps what was there', async () => {
      const store = open();
      const { artifact } = await store.push({ name: 'full', version: '1', path: await fileOf(9 * 1024 * 1024) });
      const small = join(scratch.path, 'small');
      await mkdir(small);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'bucketwright-test', small]);
      try {
        const target = join(small, 'file');
        await writeFile(target, 'as it was');
        const pulled = store.pull({ artifact, target });
        await expect(pulled).rejects.toMatchObject({
          code: 'target',
          message: expect.stringContaining('disk is full'),
        });
        expect(await readdir(small)).toEqual(['file']);
        expect(await readFile(target, 'utf8')).toBe('as it was');
        execFileSync('mount', ['-o', 'remount,size=50m', small]);
        await store.pull({ artifact, target });
        expect((await readFile(target)).length).toBe(artifact.content.size);
      } finally {
        execFileSync('umount', [small]);
      }
    }, 60_000);
  });

  test('a machine whose clock is wrong works, and its URLs are valid for as long as they say', async () => {
    const shift = join(scratch.path, 'shift.cjs');
    const text = `const now = Date.now; const by = 40 * 60 * 1000; Date.now = () => now() + by;
const Real = Date; globalThis.Date = class extends Real { constructor(...a) { a.length === 0 ? super(Real.now()) : super(...a); } };`;
    await writeFile(shift, text);
    const settings = { ...settingsFor(endpoint, target.name, bucket), NODE_OPTIONS: `--require ${shift}` };
    const path = await fileOf(100);
    expect(await command(['push', 'skewed:1', path], settings)).toContain('pushed; 100 B sent');
    expect(await command(['list', 'skewed'], settings)).toContain('1 ');
    // Signed by the provider's clock: neither refused nor valid for longer than was said.
    const url = (await command(['url', 'skewed:1', '--expires', '1m'], settings)).trim();
    const signed = /X-Amz-Date=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(url)?.slice(1).map(Number) ?? [];
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = signed;
    expect(Math.abs(Date.UTC(year, month - 1, day, hour, minute, second) - Date.now())).toBeLessThan(2 * MINUTE);
    expect((await fetch(url)).status).toBe(200);
  }, 120_000);
});
