import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDirectory } from '../check/access.ts';
import { fsck } from '../check/fsck.ts';
import { type LocalStore, openLocalStore } from '../local-store.ts';
import { backupIndex, compactIndex, restoreIndex } from './copies.ts';

let base: string;
let directory: string;
let store: LocalStore | undefined;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'bucketwright-copies-'));
  directory = join(base, 'data');
  await start();
  await live().createBucket({ name: 'b', owner: 'root', region: 'r' });
});
afterEach(async () => {
  await store?.close();
  await rm(base, { recursive: true });
});

function live(): LocalStore {
  if (store === undefined) throw new Error('the store is closed');
  return store;
}
async function start(): Promise<void> {
  store = await openLocalStore({ directory, filesPerSegment: 4 });
}
async function stop(): Promise<void> {
  await store?.close();
  store = undefined;
}
function put(key: string, size: number) {
  const given = { headers: {}, metadata: {}, tags: [], storageClass: 'STANDARD', digests: [] };
  return live().putObject({
    bucket: 'b',
    key,
    ...given,
    body: { bytes: Buffer.alloc(size, key) },
    accept: () => undefined,
  });
}
async function keys() {
  const listed = await live().listObjects({ bucket: 'b', prefix: '', delimiter: '', after: undefined, limit: 1000 });
  return listed.entries.map((entry) => (entry.kind === 'object' ? entry.key : ''));
}
async function wrong() {
  const opened = await openDirectory(directory, 'alone');
  const found: string[] = [];
  for await (const { id, status, subject } of fsck(opened, {}, [])) if (status !== 'ok') found.push(`${id} ${subject}`);
  await opened.close();
  return found;
}

it('gives back the room of what was deleted, and loses nothing', async () => {
  await Promise.all(Array.from({ length: 300 }, (_, n) => put(`inline-${n}`, 20_000)));
  await put('large', 100_000);
  await Promise.all(Array.from({ length: 290 }, (_, n) => live().deleteObject({ bucket: 'b', key: `inline-${n}` })));
  await expect(openDirectory(directory, 'alone')).rejects.toMatchObject({ code: 'data-directory-held' });
  await stop();
  const opened = await openDirectory(directory, 'alone');
  const { before, after } = await compactIndex(opened);
  await opened.close();
  expect(after).toBeLessThan(before / 4);
  expect((await stat(join(directory, 'index', 'data.mdb'))).size).toBe(after);
  expect((await stat(join(directory, 'index', 'data.mdb'))).mode & 0o077).toBe(0);
  expect((await readdir(directory)).filter((name) => name.startsWith('index'))).toEqual(['index']);
  expect(await wrong()).toEqual([]);
  await start();
  expect(await keys()).toHaveLength(11);
  await put('after', 50_000);
  await stop();
  expect(await wrong()).toEqual([]);
});

it('copies the index beside the running store, and puts the copy back in its place', async () => {
  await put('kept', 50_000);
  await put('deleted-later', 60_000);
  const opened = await openDirectory(directory, 'to read');
  const target = join(base, 'backup');
  const writes = Promise.all(Array.from({ length: 20 }, (_, n) => put(`meanwhile-${n}`, 100)));
  await backupIndex(opened, target);
  await expect(backupIndex(opened, target)).rejects.toMatchObject({ code: 'host' });
  await opened.close();
  await writes;
  for (let n = 0; n < 10; n += 1) await put(`stored-later-${n}`, 40_000);
  await live().deleteObject({ bucket: 'b', key: 'deleted-later' });
  await stop();

  const alone = await openDirectory(directory, 'alone');
  await expect(restoreIndex(alone, base, new Date())).rejects.toMatchObject({ code: 'data-directory-format' });
  const kept = await restoreIndex(alone, target, new Date(0));
  await alone.close();
  expect(kept).toBe(join(directory, 'index.before-restore-1970-01-01T00-00-00-000Z'));
  await start();
  expect((await keys()).filter((key) => !key.startsWith('meanwhile'))).toEqual(['deleted-later', 'kept']);
  // New files never take the names of those that were stored since the copy.
  for (let n = 0; n < 10; n += 1) await put(`new-${n}`, 45_000);
  await stop();
  const found = await wrong();
  expect(found.filter((line) => line.startsWith('body-missing'))).toEqual(['body-missing b/deleted-later']);
  expect(found.filter((line) => line.startsWith('orphan-file'))).toHaveLength(10);
  expect(found).toHaveLength(11);

  // And the other way round: nothing of what was there is lost.
  const again = await openDirectory(directory, 'alone');
  await restoreIndex(again, kept, new Date());
  await again.close();
  await start();
  expect((await keys()).filter((key) => key.startsWith('stored-later'))).toHaveLength(10);
  const opened2 = await live().openObject('b', 'stored-later-3');
  for await (const chunk of opened2.read(0, 40_000)) expect(chunk.subarray(0, 14).toString()).toBe('stored-later-3');
  await opened2.close();
});
