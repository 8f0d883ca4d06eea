import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DirectorySyncer } from './directory-syncer.ts';
import { makeDirectoryDurably, writeFileDurably } from './durable.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bucketwright-fs-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('replaces a file whole, with its mode, and leaves nothing else', async () => {
  const file = join(directory, 'settings');
  await writeFile(file, 'old', { mode: 0o644 });
  await writeFileDurably(file, 'new');
  expect(await readFile(file, 'utf8')).toBe('new');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(['settings']);
});

it('keeps the old file when the new one cannot be put in place', async () => {
  const file = join(directory, 'taken');
  await makeDirectoryDurably(join(file, 'below'));
  await expect(writeFileDurably(file, 'new')).rejects.toThrow();
  expect(await readdir(file)).toEqual(['below']);
});

it('makes directories with what is above them, again and at once', async () => {
  const deep = join(directory, 'a/b/c');
  await Promise.all([
    makeDirectoryDurably(deep),
    makeDirectoryDurably(deep),
    makeDirectoryDurably(join(directory, 'a/x')),
  ]);
  expect(await readdir(join(directory, 'a'))).toEqual(['b', 'x']);
});

it('shares syncs among those who wait, and answers every one', async () => {
  const syncer = new DirectorySyncer(directory);
  const first = syncer.sync();
  const later = Array.from({ length: 50 }, () => syncer.sync());
  // Those who came during the first sync share one that begins after it.
  expect(new Set(later).size).toBe(1);
  expect(later[0]).not.toBe(first);
  await Promise.all([first, ...later]);
  await syncer.sync();
  await syncer.close();
});

it('tells everyone who waits when the directory is gone', async () => {
  const syncer = new DirectorySyncer(join(directory, 'nowhere'));
  const asked = await Promise.allSettled([syncer.sync(), syncer.sync()]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await syncer.close();
});
