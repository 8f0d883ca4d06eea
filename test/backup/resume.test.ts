import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restore, type SourceStore } from '../../src/backup/index.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { MiB } from '../../src/core/sizes.ts';
import { backUpOne, clientOf, freshStore } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { checkEnvironment, contentOf, libmdbxMissing, write } from '../support/mdbx.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const noMdbx = libmdbxMissing();

skipUnless(noMdbx === undefined, noMdbx ?? '')('a restore that was interrupted', () => {
  let endpoint: DisposableEndpoint;
  let proxy: FaultProxy;
  let client: ObjectClient;
  beforeAll(async () => {
    endpoint = await testEndpoint();
    proxy = await startFaultProxy(endpoint);
    client = clientOf(proxy);
  });
  afterAll(async () => {
    client?.close();
    await proxy?.[Symbol.asyncDispose]();
    await endpoint?.[Symbol.asyncDispose]();
  });

  const packs = () => proxy.requests.filter(({ method, url }) => method === 'GET' && url.includes('/packs/')).length;
  /** The provider is gone after so many packs. */
  const goneAfter = (count: number) => {
    let seen = 0;
    proxy.inject(({ method, url }) => {
      if (method !== 'GET' || !url.includes('/packs/')) return undefined;
      seen += 1;
      return seen > count ? { kind: 'reset' } : undefined;
    });
  };

  test('goes on where it was, and is whole', { timeout: 300_000 }, async () => {
    await using directory = await temporaryDirectory('resume');
    const store: SourceStore = await freshStore(client, 'node');
    const path = join(directory.path, 'node');
    const writing = { pageSize: 65_536, seed: 1, commits: 5, changes: 2500, keys: 20_000 } as const;
    const commits = await write(path, { ...writing, mode: 'nosync' });
    const snapshot = await backUpOne(store, { kind: 'mdbx', path, scratch: directory.path }, { full: true });
    expect(snapshot.added.raw).toBeGreaterThan(64 * MiB);
    const target = join(directory.path, 'restored');
    proxy.reset();
    await restore({ store, snapshot, target: join(directory.path, 'other'), force: false });
    const all = packs();
    goneAfter(Math.ceil(all * 0.7));
    await expect(restore({ store, snapshot, target, force: false })).rejects.toMatchObject({ code: 'unreachable' });
    proxy.inject(() => undefined);
    proxy.reset();
    await restore({ store, snapshot, target, force: false });
    expect(packs()).toBeLessThan(all);
    await checkEnvironment(target);
    expect((await contentOf(target)).sum).toBe(commits.at(-1)?.sum);
    expect((await readdir(directory.path)).filter((name) => name.startsWith('.bucketwright'))).toEqual([]);
  });

  test('of a tree fetches what is not there', { timeout: 180_000 }, async () => {
    await using directory = await temporaryDirectory('resume');
    const store = await freshStore(client, 'tree');
    const path = join(directory.path, 'tree');
    await mkdir(path);
    for (let file = 0; file < 6; file++) await writeFile(join(path, `file-${file}`), Buffer.alloc(2 * MiB, file));
    const snapshot = await backUpOne(store, { kind: 'directory', path, scratch: directory.path });
    const target = join(directory.path, 'restored');
    goneAfter(3);
    await expect(restore({ store, snapshot, target, force: false })).rejects.toMatchObject({ code: 'unreachable' });
    proxy.inject(() => undefined);
    proxy.reset();
    await restore({ store, snapshot, target, force: false });
    expect(packs()).toBeLessThanOrEqual(4);
    for (let file = 0; file < 6; file++) {
      expect((await readFile(join(target, `file-${file}`))).equals(Buffer.alloc(2 * MiB, file))).toBe(true);
    }
    // It is done: another one would overwrite it.
    await expect(restore({ store, snapshot, target, force: false })).rejects.toMatchObject({ code: 'target-exists' });
  });
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0;
skipUnless(canMount, 'mounting a small file system needs Linux and root')('a restore to a full disk', () => {
  test('says so, and is gone on with when there is room', { timeout: 180_000 }, async () => {
    await using endpoint = await testEndpoint();
    const client = clientOf(endpoint);
    await using directory = await temporaryDirectory('full');
    const store = await freshStore(client, 'tree');
    const path = join(directory.path, 'tree');
    await mkdir(path);
    for (let file = 0; file < 4; file++) await writeFile(join(path, `file-${file}`), Buffer.alloc(2 * MiB, file));
    const snapshot = await backUpOne(store, { kind: 'directory', path, scratch: directory.path });
    const small = join(directory.path, 'small');
    await mkdir(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'bucketwright-test', small]);
    try {
      const target = join(small, 'restored');
      const failed = restore({ store, snapshot, target, force: false });
      await expect(failed).rejects.toMatchObject({ code: 'target', message: expect.stringContaining('full') });
      execFileSync('mount', ['-o', 'remount,size=50m', small]);
      await restore({ store, snapshot, target, force: false });
      expect((await readFile(join(target, 'file-3'))).equals(Buffer.alloc(2 * MiB, 3))).toBe(true);
    } finally {
      execFileSync('umount', [small]);
      client.close();
    }
  });
});
