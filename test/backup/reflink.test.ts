import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Method } from '../../src/backup/mdbx/options.ts';
import { restoreEnvironment } from '../../src/backup/mdbx/restore.ts';
import { mdbxSource } from '../../src/backup/mdbx/source.ts';
import { checkEnvironment, contentOf, libmdbxMissing, mdbxCopy, startWriter, write } from '../support/mdbx.ts';
import { MemoryRepository } from '../support/memory-repository.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const missing =
  libmdbxMissing() ??
  (process.getuid?.() !== 0 ? 'reflinks need a file system of their own, which only root may mount' : undefined) ??
  (existsSync('/usr/sbin/mkfs.xfs') ? undefined : 'there is no mkfs.xfs (Debian: xfsprogs)') ??
  (existsSync('/dev/loop-control') ? undefined : 'there are no loop devices');

async function snapshot(path: string, scratch: string, method: Method, copyTool?: string) {
  const repository = new MemoryRepository();
  const source = mdbxSource({ path, scratch, method, mdbxCopy: copyTool, clock: { now: Date.now } });
  await using frozen = await source.freeze({ base: undefined, store: repository });
  const wasFrozen = frozen.frozen;
  const stored = await frozen.store(repository);
  if (stored.content.kind !== 'mdbx') throw new Error('another kind');
  return { ...stored, content: stored.content, repository, wasFrozen };
}

skipUnless(missing === undefined, missing ?? '')('a file system with reflinks (XFS)', () => {
  let directory: TemporaryDirectory;
  let mount: string;
  beforeAll(async () => {
    directory = await temporaryDirectory('reflink');
    mount = join(directory.path, 'mount');
    await mkdir(mount);
    const image = join(directory.path, 'image');
    await writeFile(image, '');
    await truncate(image, 400 * 1024 ** 2);
    execFileSync('/usr/sbin/mkfs.xfs', ['-q', '-m', 'reflink=1', image]);
    execFileSync('mount', ['-o', 'loop', image, mount]);
  }, 60_000);
  afterAll(async () => {
    execFileSync('umount', [mount]);
    await directory.remove();
  }, 60_000);

  test('a clone is taken while a writer commits, and each is one of its commits', { timeout: 120_000 }, async () => {
    const path = join(mount, 'live');
    const options = { pageSize: 4096, keys: 4_000 } as const;
    await write(path, { ...options, seed: 1, commits: 40, changes: 400, mode: 'nosync' });
    await using writer = await startWriter(path, { ...options, seed: 2, changes: 20, mode: 'nosync', rate: 40 });
    const found: { counter: bigint; sum: bigint; txnid: number }[] = [];
    for (let round = 0; round < 4; round++) {
      const { content, method, repository, wasFrozen } = await snapshot(path, mount, round === 0 ? 'auto' : 'reflink');
      expect([method, wasFrozen]).toEqual(['reflink', true]);
      const target = join(directory.path, `restored-${round}`);
      await restoreEnvironment({ content, store: repository, target });
      await checkEnvironment(target);
      found.push({ ...(await contentOf(target)), txnid: content.txnid });
    }
    await writer.stop();
    const committed = new Map(writer.commits.map(({ txnid, counter, sum }) => [Number(txnid), { counter, sum }]));
    for (const { txnid, counter, sum } of found.slice(1)) expect({ counter, sum }).toEqual(committed.get(txnid));
  });

  test('from one file system to another there is no clone: it is said, or another way taken', async () => {
    const path = join(directory.path, 'elsewhere');
    await write(path, { pageSize: 4096, seed: 1, commits: 2, changes: 100 });
    await expect(snapshot(path, mount, 'reflink')).rejects.toMatchObject({
      code: 'method',
      message: expect.stringContaining('no reflinks'),
    });
    expect((await snapshot(path, mount, 'auto')).method).toBe('reader');
    expect((await snapshot(path, mount, 'auto', mdbxCopy)).method).toBe('mdbx_copy');
    await rename(path, `${path}-done`);
  });
});
