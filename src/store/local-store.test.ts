import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeObjectStore } from '../../test/contract/object-store.ts';
import { describeVersions } from '../../test/contract/versions.ts';
import { KiB } from '../core/sizes.ts';
import { isStoreDirectory } from './format.ts';
import { type LocalStore, type LocalStoreOptions, openLocalStore } from './local-store.ts';
import type { PutObject } from './port.ts';

const smallPart = 256 * KiB;

describeObjectStore('LocalStore', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bucketwright-store-'));
  const store = await openLocalStore({ directory, minPartSize: smallPart, filesPerSegment: 4 });
  return {
    store,
    smallPart,
    async discard() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

describeVersions('LocalStore', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bucketwright-store-'));
  let now = Date.now();
  const store = await openLocalStore({ directory, filesPerSegment: 4, clock: { now: () => now } });
  return {
    store,
    setNow(milliseconds) {
      now = milliseconds;
    },
    async discard() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});

describe('a data directory', () => {
  let directory: string;
  let store: LocalStore | undefined;
  const open = async (options: Partial<LocalStoreOptions> = {}) => {
    store = await openLocalStore({ directory, filesPerSegment: 4, ...options });
    return store;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bucketwright-store-'));
  });
  afterEach(async () => {
    await store?.close();
    await rm(directory, { recursive: true });
  });

  it('keeps everything across a restart', async () => {
    const first = await open();
    await first.createBucket({ name: 'b', owner: 'root', region: 'r' });
    await first.putObject(put('small', 100));
    await first.putObject(put('large', 200_000));
    const before = await first.listObjects(everything);
    await first.close();
    const second = await open();
    expect(await second.listObjects(everything)).toEqual(before);
    expect(await second.usage()).toEqual([{ bucket: 'b', objects: 2, bytes: 200_100 }]);
    const opened = await second.openObject('b', 'large');
    let bytes = 0;
    for await (const chunk of opened.read(0, 200_000)) bytes += chunk.length;
    await opened.close();
    expect(bytes).toBe(200_000);
  });

  it('lets nobody else read the index, also one that an earlier version left open', async () => {
    const modes = async () => {
      const paths = ['index', 'index/data.mdb', 'index/lock.mdb'].map((name) => join(directory, name));
      return Promise.all(paths.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
    };
    await (await open()).close();
    expect(await modes()).toEqual(['700', '600', '600']);
    await chmod(join(directory, 'index'), 0o755);
    await chmod(join(directory, 'index/data.mdb'), 0o644);
    await open();
    expect(await modes()).toEqual(['700', '600', '600']);
  });

  it('knows every directory that it makes as its own', async () => {
    const first = await open();
    await first.createBucket({ name: 'b', owner: 'root', region: 'r' });
    await first.putObject(put('large', 100_000));
    const entries = await readdir(directory, { withFileTypes: true });
    const own = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(own).toContain('index');
    expect(own.filter((name) => !isStoreDirectory(name))).toEqual([]);
  });

  it('removes the directories of bodies that are all gone', async () => {
    const first = await open();
    await first.createBucket({ name: 'b', owner: 'root', region: 'r' });
    const keys = Array.from({ length: 10 }, (_, number) => `large-${number}`);
    for (const key of keys) await first.putObject(put(key, 100_000));
    expect(await segmentDirectories(directory)).toBe(3);
    for (const key of keys.slice(0, 9)) await first.deleteObject({ bucket: 'b', key });
    await first.putObject(put('still-written-to', 100_000));
    await first.deleteObject({ bucket: 'b', key: keys[9] ?? '' });
    await first.deleteObject({ bucket: 'b', key: 'still-written-to' });
    await first.close();
    expect(await segmentDirectories(directory)).toBe(0);
    const second = await open();
    await second.putObject(put('next', 100_000));
    expect(await segmentDirectories(directory)).toBe(1);
  });

  it('holds no file that nothing refers to, after overwrites, deletes and aborts', async () => {
    const first = await open();
    await first.createBucket({ name: 'b', owner: 'root', region: 'r' });
    for (let i = 0; i < 30; i += 1) await first.putObject(put(`key ${i % 5}`, 50_000 + i));
    await first.deleteObject({ bucket: 'b', key: 'key 0' });
    const upload = await first.createUpload({ ...put('mp', 0), checksumAlgorithm: undefined, checksumType: undefined });
    await first.putPart({ ...put('mp', 60_000), uploadId: upload.uploadId, partNumber: 1 });
    await first.abortUpload('b', 'mp', upload.uploadId);
    await first.close();
    expect(await bodyFiles(directory)).toBe(4);
  });

  it('aborts uploads that were abandoned', async () => {
    let now = 1_700_000_000_000;
    const first = await open({ clock: { now: () => now }, abandonedUploadAge: 1000 });
    await first.createBucket({ name: 'b', owner: 'root', region: 'r' });
    const upload = await first.createUpload({ ...put('mp', 0), checksumAlgorithm: undefined, checksumType: undefined });
    await first.putPart({ ...put('mp', 60_000), uploadId: upload.uploadId, partNumber: 1 });
    await first.maintain();
    await first.upload('b', 'mp', upload.uploadId);
    now += 2000;
    await first.maintain();
    await expect(first.upload('b', 'mp', upload.uploadId)).rejects.toMatchObject({ code: 'no-such-upload' });
    await first.close();
    expect(await bodyFiles(directory)).toBe(0);
  });

  it('takes one process at a time', async () => {
    await open();
    await expect(openLocalStore({ directory })).rejects.toMatchObject({
      code: 'data-directory-held',
      message: expect.stringContaining(`${process.pid}`),
    });
  });

  it('refuses work after it was closed', async () => {
    const first = await open();
    await first.createBucket({ name: 'b', owner: 'root', region: 'r' });
    await first.close();
    store = undefined;
    await expect(first.putObject(put('k', 10))).rejects.toMatchObject({ code: 'closed' });
  });
});

const everything = { bucket: 'b', prefix: '', delimiter: '', after: undefined, limit: 1000 };

function put(key: string, size: number): PutObject {
  return {
    bucket: 'b',
    key,
    body: { bytes: Buffer.alloc(size, 7) },
    digests: [],
    accept: () => undefined,
    headers: {},
    metadata: {},
    tags: [],
    storageClass: 'STANDARD',
  };
}

async function bodyFiles(directory: string): Promise<number> {
  const entries = await readdir(join(directory, 'bodies'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

async function segmentDirectories(directory: string): Promise<number> {
  const names = await readdir(join(directory, 'bodies'), { recursive: true });
  return names.filter((name) => /^[0-9a-f]{2}\/[0-9a-f]{8}$/.test(name)).length;
}
