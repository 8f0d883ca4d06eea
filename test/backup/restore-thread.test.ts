/** A restore that is large enough for a thread of its own, which only the built command line has. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { MiB } from '../../src/core/sizes.ts';
import { backUpOne, clientOf, endpointSettings, freshStore, passphraseText } from '../support/backup.ts';
import { cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { checkEnvironment, contentOf, libmdbxMissing, write } from '../support/mdbx.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const missing = libmdbxMissing();
skipUnless(missing === undefined, missing ?? '')('a restore on a thread of its own', () => {
  let endpoint: DisposableEndpoint;
  let proxy: FaultProxy;
  let directory: TemporaryDirectory;
  let settings: NodeJS.ProcessEnv;
  let sum: bigint | undefined;
  const at = (name: string) => join(directory.path, name);

  beforeAll(async () => {
    endpoint = await testEndpoint();
    proxy = await startFaultProxy(endpoint);
    directory = await temporaryDirectory('restore-thread');
    const client = clientOf(endpoint);
    const store = await freshStore(client, 'node');
    const source = { kind: 'mdbx', path: at('node'), scratch: directory.path } as const;
    const writing = { pageSize: 4096, changes: 2500, keys: 150_000, mode: 'nosync' } as const;
    await write(at('node'), { ...writing, seed: 1, commits: 120 });
    const { added } = await backUpOne(store, source);
    expect(added.raw).toBeGreaterThan(40 * MiB);
    // Increments lie here and there in it.
    for (const seed of [2, 3, 4]) {
      sum = (await write(at('node'), { ...writing, seed, commits: 2, changes: 100, drop: 20 })).at(-1)?.sum;
      await backUpOne(store, source);
    }
    settings = cleanEnvironment({
      ...endpointSettings(proxy),
      S3_BUCKET_BACKUP: store.storage.place.bucket,
      S3_PREFIX_BACKUP: store.storage.place.prefix,
      BUCKETWRIGHT_BACKUP_PASSPHRASE: passphraseText,
    });
    client.close();
  }, 240_000);
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await endpoint?.[Symbol.asyncDispose]();
    await directory?.remove();
  }, 60_000);
  beforeEach(() => {
    proxy.inject(() => undefined);
    proxy.reset();
  });

  const restore = (target: string, code = 0) =>
    run(process.execPath, [commandLine, 'backup', 'restore', 'node', target], { env: settings, allow: [code] });
  const packs = () => proxy.requests.filter(({ method, url }) => method === 'GET' && url.includes('/packs/')).length;
  const expectWhole = async (target: string) => {
    await checkEnvironment(target);
    expect((await contentOf(target)).sum).toBe(sum);
  };

  test('equals its source', { timeout: 120_000 }, async () => {
    await restore(at('plain'));
    await expectWhole(at('plain'));
  });

  test('names what is damaged, and leaves nothing that has its name', { timeout: 120_000 }, async () => {
    let seen = 0;
    proxy.inject(({ method, url }) => {
      if (method !== 'GET' || !url.includes('/packs/')) return undefined;
      seen += 1;
      return seen === 3 ? { kind: 'flip', at: 70_000 } : undefined;
    });
    const { stderr } = await restore(at('damaged'), 1);
    expect(stderr).toMatch(/packs\/.* at \d+ is not what was stored: its authentication fails/);
    expect(stderr).toContain('verify --read-data');
    expect(existsSync(at('damaged'))).toBe(false);
    // It was on its way, not in the repository: the same again is gone on with.
    await restore(at('damaged'));
    await expectWhole(at('damaged'));
  });

  test('is gone on with after kill -9', { timeout: 240_000 }, async () => {
    // Each piece of a pack takes a while, so that it is killed among them.
    proxy.inject(({ url }) => (url.includes('/packs/') ? { kind: 'delay', ms: 50 } : undefined));
    for (const after of [2, 5, 8, 11]) {
      proxy.reset();
      const args = [commandLine, 'backup', 'restore', 'node', at('killed')];
      const child = spawn(process.execPath, args, { env: settings, stdio: 'ignore' });
      const exited = once(child, 'exit');
      for (let waited = 0; packs() < after && child.exitCode === null && waited < 20_000; waited += 5) await sleep(5);
      child.kill('SIGKILL');
      expect(await exited).toEqual([null, 'SIGKILL']);
    }
    proxy.inject(() => undefined);
    await restore(at('killed'));
    await expectWhole(at('killed'));
    expect((await readdir(directory.path)).filter((name) => name.startsWith('.bucketwright'))).toEqual([]);
  });

  const canMount = process.platform === 'linux' && process.getuid?.() === 0;
  skipUnless(canMount, 'mounting a small file system needs Linux and root')('to a full disk', () => {
    test('says so, and is gone on with when there is room', { timeout: 120_000 }, async () => {
      await mkdir(at('small'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'bucketwright-test', at('small')]);
      try {
        const { stderr } = await restore(at('small/restored'), 1);
        expect(stderr).toContain('the disk is full');
        execFileSync('mount', ['-o', 'remount,size=400m', at('small')]);
        await restore(at('small/restored'));
        await expectWhole(at('small/restored'));
      } finally {
        execFileSync('umount', [at('small')]);
      }
    });
  });
});
