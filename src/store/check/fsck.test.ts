import { mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../core/finding.ts';
import { KiB } from '../../core/sizes.ts';
import { bodyKey, bodyPath } from '../body/reference.ts';
import type { Index } from '../index/database.ts';
import { bucketPrefix, objectKey } from '../index/keys.ts';
import { type LocalStore, openLocalStore } from '../local-store.ts';
import { openDirectory } from './access.ts';
import { fsck } from './fsck.ts';
import { applyRepairs, type Repair } from './repair.ts';

let directory: string;
let store: LocalStore | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bucketwright-fsck-'));
  store = await openLocalStore({ directory, filesPerSegment: 4, minPartSize: 40 * KiB });
  await store.createBucket({ name: 'b', owner: 'root', region: 'r' });
  await store.createBucket({ name: 'empty', owner: 'root', region: 'r' });
  await put('inline', 1000);
  await put('nothing', 0);
  await put('large', 300_000);
  await store.copyObject({
    source: { bucket: 'b', key: 'large' },
    bucket: 'b',
    key: 'copy',
    accept() {},
    attributes: {},
    checksumAlgorithm: undefined,
  });
  await multipart('multi');
  await store.setVersioning('b', 'Enabled');
  await put('versioned', 70_000);
  await put('versioned', 80_000);
  await store.deleteObject({ bucket: 'b', key: 'versioned' });
  const { uploadId } = await store.createUpload({ bucket: 'b', key: 'begun', ...plain, ...noChecksum });
  await store.putPart({ bucket: 'b', key: 'begun', uploadId, partNumber: 1, ...incoming(50_000) });
});
afterEach(async () => {
  await store?.close();
  await rm(directory, { recursive: true });
});

const plain = { headers: {}, metadata: {}, tags: [], storageClass: 'STANDARD' };
const noChecksum = { checksumAlgorithm: undefined, checksumType: undefined };

function incoming(size: number) {
  return { body: { bytes: Buffer.alloc(size, 'body ') }, digests: [], accept: () => undefined };
}

function put(key: string, size: number) {
  return live().putObject({ bucket: 'b', key, ...plain, ...incoming(size) });
}

async function multipart(key: string): Promise<void> {
  const { uploadId } = await live().createUpload({ bucket: 'b', key, ...plain, ...noChecksum });
  const parts: { readonly number: number; readonly etag: string; readonly checksum: undefined }[] = [];
  for (const [index, size] of [60_000, 50_000, 100].entries()) {
    const number = index + 1;
    const { etag } = await live().putPart({ bucket: 'b', key, uploadId, partNumber: number, ...incoming(size) });
    parts.push({ number, etag, checksum: undefined });
  }
  await live().completeUpload({ bucket: 'b', key, uploadId, parts, checksum: undefined, size: undefined });
}

function live(): LocalStore {
  if (store === undefined) throw new Error('the store is closed');
  return store;
}

async function stop(): Promise<void> {
  await store?.close();
  store = undefined;
}

async function run(options: { bytes?: boolean } = {}) {
  const opened = await openDirectory(directory, 'to read');
  const findings: Finding[] = [];
  const repairs: Repair[] = [];
  try {
    for await (const finding of fsck(opened, options, repairs)) findings.push(finding);
  } finally {
    await opened.close();
  }
  return { findings, repairs, wrong: findings.filter(({ status }) => status !== 'ok') };
}

async function alter(change: (index: Index) => void): Promise<void> {
  const opened = await openDirectory(directory, 'alone');
  await opened.index.root.transaction(() => change(opened.index));
  await opened.close();
}

async function fileOf(key: string): Promise<string> {
  const opened = await openDirectory(directory, 'to read');
  const body = opened.index.objects.get(objectKey(1, key))?.body;
  await opened.close();
  if (body?.kind !== 'file') throw new Error(`${key} has no file of its own`);
  return join(directory, bodyPath(body));
}

async function repair(): Promise<void> {
  const opened = await openDirectory(directory, 'alone');
  const repairs: Repair[] = [];
  for await (const _ of fsck(opened, {}, repairs));
  await applyRepairs(opened, repairs);
  await opened.close();
}

it('finds nothing wrong with what the store wrote', async () => {
  await stop();
  const { findings, wrong, repairs } = await run();
  expect(wrong).toEqual([]);
  expect(repairs).toEqual([]);
  expect(findings.map(({ id, subject, found }) => `${id} ${subject}: ${found}`)).toEqual([
    'bucket b: 8 versions, 841 KiB: every byte as it was written',
    'uploads uploads: 1 part, 48.8 KiB: every byte as it was written',
    `references ${directory}: every file and body belongs to something`,
  ]);
});

it('reads beside the store that writes, and says what it could not look at', async () => {
  const { findings, wrong } = await run();
  expect(wrong).toMatchObject([{ id: 'references', status: 'skip' }]);
  expect(findings.length).toBe(3);
  await expect(openDirectory(directory, 'alone')).rejects.toMatchObject({ code: 'data-directory-held' });
  await put('after', 100_000);
  expect((await run()).wrong).toHaveLength(1);
});

it('names no object that is replaced or deleted while it looks', async () => {
  const opened = await openDirectory(directory, 'to read');
  const findings: Finding[] = [];
  const changes: Promise<unknown>[] = [];
  const progress = () => {
    // Between two entries: what comes next is not what the page of keys was read from.
    if (changes.length > 200) return;
    const bucket = 'empty';
    changes.push(live().putObject({ bucket, key: 'churn', ...plain, ...incoming(100_000 + changes.length) }));
    changes.push(live().deleteObject({ bucket, key: 'churn' }));
  };
  for (let again = 0; again < 20; again += 1) {
    for await (const finding of fsck(opened, { progress }, [])) findings.push(finding);
  }
  await Promise.all(changes);
  await opened.close();
  expect(findings.filter(({ status }) => status === 'fail')).toEqual([]);
});

describe('damage', () => {
  beforeEach(stop);

  it('in a body file names every object that shares it, and the store never gives its bytes out', async () => {
    const file = await fileOf('large');
    const handle = await open(file, 'r+');
    await handle.write('X', 123_456);
    await handle.close();
    const { wrong, repairs } = await run();
    expect(wrong.map(({ id, status, subject }) => [id, status, subject])).toEqual([
      ['body-damaged', 'fail', 'b/copy'],
      ['body-damaged', 'fail', 'b/large'],
    ]);
    expect(repairs).toEqual([]);
    // Sizes alone do not tell.
    expect((await run({ bytes: false })).wrong).toEqual([]);
  });

  it.each([
    ['shorter', (file: string) => truncate(file, 1000), 'body-damaged'],
    ['longer', (file: string) => truncate(file, 300_001), 'body-damaged'],
    ['missing', (file: string) => rm(file), 'body-missing'],
  ])('a %s body file', async (_, hurt, id) => {
    await hurt(await fileOf('large'));
    for (const bytes of [true, false]) {
      const { wrong } = await run({ bytes });
      expect(wrong).toMatchObject([
        { id, status: 'fail', subject: 'b/copy' },
        { id, status: 'fail', subject: 'b/large' },
      ]);
    }
  });

  it('in inline bytes', async () => {
    await alter((index) => {
      for (const { key, value } of [...index.inline.getRange()]) {
        const altered = Buffer.from(value);
        altered.writeUInt8(altered.readUInt8(7) ^ 4, 7);
        index.inline.putSync(key, altered);
      }
    });
    expect((await run()).wrong.map(({ id, subject }) => `${id} ${subject}`)).toEqual([
      'body-damaged b/inline',
      'body-damaged b/multi',
    ]);
    store = await openLocalStore({ directory });
    await expect(live().openObject('b', 'inline')).rejects.toMatchObject({ code: 'damaged' });
  });

  it('in the index: an unreadable entry, a lost list of parts, a wrong entity tag', async () => {
    await alter((index) => {
      index.objectsRaw.putSync(objectKey(1, 'inline'), Buffer.from('torn'));
      for (const key of [...index.manifests.getKeys()]) index.manifests.removeSync(key);
      const record = Buffer.from(index.objectsRaw.get(objectKey(1, 'large')) ?? '');
      record.writeUInt8(record.readUInt8(30) ^ 1, 30);
      index.objectsRaw.putSync(objectKey(1, 'large'), record);
    });
    const { wrong, repairs } = await run();
    expect(wrong.map(({ id, subject }) => `${id} ${subject}`)).toEqual([
      'entry-unreadable b/inline',
      'etag-differs b/large',
      'manifest-missing b/multi',
      `references ${directory}`,
    ]);
    // What belongs to the unreadable entry must not be taken for nobody's.
    expect(repairs).toEqual([]);
  });
});

describe('repair', () => {
  beforeEach(stop);

  it('sets counters and references, and moves aside what belongs to nothing', async () => {
    const file = await fileOf('large');
    await writeFile(`${file.slice(0, -8)}00000099`, 'nobody');
    await writeFile(join(directory, 'bodies', 'notes.txt'), 'mine');
    await alter((index) => {
      index.usage.putSync(bucketPrefix(1), { objects: 77, bytes: 1 });
      for (const { key, value } of [...index.files.getRange()]) index.files.putSync(key, { ...value, references: 9 });
      index.files.putSync(bodyKey({ segment: 1, sequence: 5000 }), { size: 5, references: 1 });
      index.inline.putSync(bodyKey({ segment: 1, sequence: 6000 }), Buffer.from('nobody'));
      index.manifests.putSync(bodyKey({ segment: 1, sequence: 7000 }), Buffer.from('nobody'));
    });
    const ids = (await run()).wrong.map(({ id }) => id);
    expect(ids.filter((id) => id === 'reference-count')).toHaveLength(7);
    expect([...new Set(ids)].sort()).toEqual([
      'foreign-file',
      'orphan-file',
      'reference-count',
      'unreferenced',
      'usage',
    ]);
    await repair();
    expect((await run()).wrong.map(({ id }) => id)).toEqual(['foreign-file']);
    const aside = await readdir(join(directory, 'lost+found'), { recursive: true });
    expect(aside.filter((name) => name.endsWith('00000099'))).toHaveLength(1);

    store = await openLocalStore({ directory });
    expect(await live().usage()).toMatchObject([{ bucket: 'b', objects: 5 }, { bucket: 'empty' }]);
    await live().deleteObject({ bucket: 'b', key: 'large', versionId: 'null' });
    const copy = await live().openObject('b', 'copy');
    for await (const chunk of copy.read(0, copy.info.size)) expect(chunk.length).toBeGreaterThan(0);
    await copy.close();
    await live().deleteObject({ bucket: 'b', key: 'copy', versionId: 'null' });
    await stop();
    expect((await run()).wrong.map(({ id }) => id)).toEqual(['foreign-file']);
  });

  it('raises a reference count that would have lost a shared body', async () => {
    await alter((index) => {
      for (const { key, value } of [...index.files.getRange()]) index.files.putSync(key, { ...value, references: 1 });
    });
    await repair();
    store = await openLocalStore({ directory });
    await live().deleteObject({ bucket: 'b', key: 'large', versionId: 'null' });
    await live().maintain();
    const copy = await live().openObject('b', 'copy');
    let bytes = 0;
    for await (const chunk of copy.read(0, copy.info.size)) bytes += chunk.length;
    await copy.close();
    expect(bytes).toBe(300_000);
  });
});

it('knows a data directory from any other', async () => {
  await expect(openDirectory(join(directory, 'bodies'), 'to read')).rejects.toMatchObject({
    code: 'data-directory-format',
  });
  await expect(openDirectory(join(directory, 'nowhere'), 'alone')).rejects.toMatchObject({
    code: 'data-directory-format',
  });
});
