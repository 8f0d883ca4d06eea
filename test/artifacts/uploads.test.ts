import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArtifactStore, artifacts, measure, openSource, sendContent } from '../../src/artifacts/index.ts';
import { layoutBelow } from '../../src/artifacts/layout.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { DAY, HOUR } from '../../src/core/durations.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { connectionTo, onEach } from '../provision/targets.ts';
import { bucketName, type DisposableEndpoint } from '../support/endpoint.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

onEach('uploads without keys', (target) => {
  let endpoint: DisposableEndpoint;
  let client: ObjectClient;
  let scratch: TemporaryDirectory;
  const bucket = bucketName('uploads');
  const provider = providerNamed(target.name);
  let moved = 0;
  const open = (options: { client?: ObjectClient; tenant?: string; prefix?: string } = {}): ArtifactStore => {
    if (provider === undefined) throw new Error(target.name);
    return artifacts({ client, bucket, prefix: 'a/', provider, clock: { now: () => Date.now() + moved }, ...options });
  };
  beforeAll(async () => {
    endpoint = await target.start();
    client = createClient(connectionTo(endpoint, target.name));
    scratch = await temporaryDirectory('uploads');
    await client.createBucket(bucket);
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
    await scratch?.remove();
  }, 90_000);

  /** A directory as a job would have it, and what it packs to. */
  const bundle = async (bytes: Buffer = randomBytes(3000)) => {
    const path = join(scratch.path, randomBytes(4).toString('hex'));
    await mkdir(path);
    await writeFile(join(path, 'file'), bytes);
    const source = await openSource(path);
    const { digest, size } = await measure(source);
    return { source, content: { digest, size, mediaType: source.mediaType, title: source.title } };
  };
  const there = (digest: string, root = 'a/') =>
    client.head({ bucket, key: `${root}blobs/sha256/${digest.slice('sha256:'.length)}` }).then(
      () => true,
      () => false,
    );

  test('what was granted, sent and finished is a version like any other', async () => {
    const store = open();
    const { source, content } = await bundle(randomBytes(9 * 1024 * 1024));
    const facts = {
      name: 'p/ci',
      version: '1',
      kind: 'program',
      labels: { team: 'x' },
      revision: 'abc',
      creator: 'ci',
    };
    const grant = await store.grantUpload({ ...facts, content, expiresSeconds: 60 });
    const ticket = grant.ticket.reveal();
    await expect(store.finishUpload(ticket)).rejects.toMatchObject({ code: 'content-missing' });
    if (grant.upload === undefined) throw new Error('nothing to send');
    await sendContent({ ...grant.upload, source });
    const { artifact, created } = await store.finishUpload(ticket);
    expect(created).toBe(true);
    expect(artifact).toMatchObject({ ...facts, content });
    // A lost answer is asked for again.
    expect(await store.finishUpload(ticket)).toEqual({ artifact, created: false });
    const placed = join(scratch.path, 'placed');
    await store.pull({ artifact: (await store.resolve('p/ci:1')).artifact, target: placed });
    expect(
      createHash('sha256')
        .update(await readFile(join(placed, 'file')))
        .digest('hex'),
    ).toBe(
      createHash('sha256')
        .update(await readFile(join(scratch.path, content.title, 'file')))
        .digest('hex'),
    );
    const again = await store.grantUpload({ name: 'p/ci', version: '2', content, expiresSeconds: 60 });
    expect(again.upload).toBeUndefined();
    expect((await store.finishUpload(again.ticket.reveal())).created).toBe(true);
    const other = (await bundle()).content;
    await expect(
      store.grantUpload({ name: 'p/ci', version: '1', content: other, expiresSeconds: 60 }),
    ).rejects.toMatchObject({ code: 'version-exists' });
  }, 60_000);

  test('a signed URL takes these bytes, at this key, until it expires, and nothing else', async () => {
    const store = open();
    const bytes = randomBytes(1000);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;
    const content = { digest, size: bytes.length, mediaType: 'application/octet-stream', title: 'f' };
    const grant = await store.grantUpload({ name: 'p/exact', version: '1', content, expiresSeconds: 600 });
    const { url = '', headers = {} } = grant.upload ?? {};
    const { 'content-length': length, ...rest } = headers;
    expect(length).toBe('1000');
    const put = async (to: string, body: Buffer, sent: Record<string, string> = rest, method = 'PUT') =>
      (await fetch(to, { method, headers: sent, ...(method === 'GET' ? {} : { body }) })).status;
    const flipped = Buffer.from(bytes);
    flipped[500] = (flipped[500] ?? 0) ^ 1;
    const shaOf = (body: Buffer) => createHash('sha256').update(body).digest('hex');
    const longer = Buffer.concat([bytes, Buffer.from('x')]);
    const elsewhere = url.replace(digest.slice(7), shaOf(flipped));
    expect(elsewhere).not.toBe(url);
    const refusals: [string, number][] = [
      ['other bytes', await put(url, flipped)],
      ['other bytes, said so', await put(url, flipped, { 'x-amz-content-sha256': shaOf(flipped) })],
      ['no digest', await put(url, flipped, {})],
      ['unsigned', await put(url, flipped, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })],
      ['longer', await put(url, longer)],
      ['shorter', await put(url, bytes.subarray(0, 999))],
      ['another key', await put(elsewhere, flipped, { 'x-amz-content-sha256': shaOf(flipped) })],
      ['another key, these bytes', await put(elsewhere, bytes)],
      ['reading', await put(url, bytes, {}, 'GET')],
      ['deleting', await put(url, bytes, rest, 'DELETE')],
      ['a longer life', await put(url.replace('X-Amz-Expires=600', 'X-Amz-Expires=6000'), bytes)],
      ['a changed signature', await put(`${url.slice(0, -1)}${url.endsWith('0') ? '1' : '0'}`, bytes)],
    ];
    for (const [what, status] of refusals) expect([400, 403, 411, 501], `${what}: ${status}`).toContain(status);
    expect(await there(digest)).toBe(false);
    expect(await put(url, bytes)).toBe(200);
    const late = { ...content, digest: `sha256:${shaOf(flipped)}` } as const;
    const brief = await store.grantUpload({ name: 'p/exact', version: '2', content: late, expiresSeconds: 1 });
    await sleep(3000);
    expect(await put(brief.upload?.url ?? '', flipped, { 'x-amz-content-sha256': shaOf(flipped) }), 'expired').toBe(
      403,
    );
    expect(await there(late.digest)).toBe(false);
  }, 60_000);

  test('content that is refused early is refused clearly, and ends no process of ours', async () => {
    const store = open();
    const { content } = await bundle();
    const path = join(scratch.path, 'too-long');
    await writeFile(path, randomBytes(8 * 1024 * 1024));
    const source = await openSource(path);
    const { upload } = await store.grantUpload({ name: 'p/early', version: '1', content, expiresSeconds: 60 });
    const { url = '', headers = {} } = upload ?? {};
    for (let round = 0; round < 5; round += 1) {
      const honest = { ...headers, 'content-length': String(8 * 1024 * 1024) };
      await expect(sendContent({ url, headers: honest, source })).rejects.toMatchObject({ code: 'ticket' });
    }
    expect(await there(content.digest)).toBe(false);
  }, 60_000);

  test('a ticket is of one tenant, for a while, and hard to guess', async () => {
    const [one, two] = [open({ tenant: 'one' }), open({ tenant: 'two' })];
    const { source, content } = await bundle();
    const { ticket, upload } = await one.grantUpload({ name: 'p', version: '1', content, expiresSeconds: 60 });
    const text = ticket.reveal();
    expect(new URL(upload?.url ?? '').pathname).toContain('/a/tenants/one/blobs/');
    await sendContent({ url: upload?.url ?? '', headers: upload?.headers ?? {}, source });
    expect(await there(content.digest, 'a/tenants/one/')).toBe(true);
    const forged = [
      text.replace('.one.', '.two.'),
      text.replace('.one.', '..'),
      `${text}x`,
      text.slice(0, -1),
      '',
      'x',
    ];
    for (const bad of forged) {
      for (const store of [one, two, open()]) {
        await expect(store.finishUpload(bad), bad).rejects.toMatchObject({ code: 'ticket' });
      }
    }
    // The bucket holds no ticket that could be used.
    const listed = [];
    for await (const entry of client.list({ bucket, prefix: 'a/tenants/one/uploads/' })) listed.push(entry);
    expect(JSON.stringify(listed)).not.toContain(text.split('.')[2]);
    moved = 61_000;
    await expect(one.finishUpload(text)).rejects.toMatchObject({ code: 'ticket' });
    moved = 0;
    expect((await one.finishUpload(text)).created).toBe(true);
    await expect(two.resolve('p:1')).rejects.toMatchObject({ code: 'no-such-version' });
  }, 60_000);

  test('gc keeps what was granted until it ends, and then forgets it', async () => {
    const store = open({ prefix: 'gc/' });
    const { source, content } = await bundle();
    const { ticket, upload } = await store.grantUpload({ name: 'p', version: '1', content, expiresSeconds: 86_400 });
    await sendContent({ url: upload?.url ?? '', headers: upload?.headers ?? {}, source });
    const options = { versions: 1, entries: 1, grace: HOUR };
    moved = 20 * HOUR;
    expect((await store.planGc(options)).actions).toEqual([]);
    expect((await store.finishUpload(ticket.reveal())).created).toBe(true);
    moved = 3 * DAY;
    const { actions } = await store.planGc(options);
    expect(actions).toEqual([{ kind: 'forget', key: expect.stringContaining('gc/uploads/') }]);
    expect(await store.applyGc({ actions, kept: { blobs: 0, bytes: 0 } })).toBe(1);
    expect((await store.planGc(options)).actions).toEqual([]);
    moved = 0;
  }, 60_000);

  test('a provider that takes other bytes than were signed is refused, and keeps nothing', async () => {
    const careless: ObjectClient = {
      ...client,
      presign: (request) => client.presign({ ...request, exactly: undefined }),
    };
    const { content } = await bundle();
    const request = { name: 'p/careless', version: '1', content, expiresSeconds: 60 };
    await expect(open({ client: careless }).grantUpload(request)).rejects.toMatchObject({ code: 'no-signed-uploads' });
    await expect(client.head({ bucket, key: `${layoutBelow('a/').uploads}probe` })).rejects.toMatchObject({
      code: 'no-such-key',
    });
    for (const wrong of [
      { ...request, expiresSeconds: 0 },
      { ...request, expiresSeconds: 86_401 },
      { ...request, name: '../x' },
      { ...request, version: '..' },
      { ...request, content: { ...content, size: 6 * 1024 ** 3 } },
      { ...request, content: { ...content, mediaType: 'text/html' } },
    ]) {
      await expect(open().grantUpload(wrong)).rejects.toMatchObject({ code: 'invalid' });
    }
  }, 60_000);
});
