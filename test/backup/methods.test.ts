/** The ways to copy an environment besides our reader of a live one: when they are taken, and when they fail. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyByTool } from '../../src/backup/mdbx/mdbx-copy.ts';
import type { MdbxSourceOptions } from '../../src/backup/mdbx/options.ts';
import { mdbxSource } from '../../src/backup/mdbx/source.ts';
import { clientOf, collect, endpointSettings, freshStore, passphraseText } from '../support/backup.ts';
import { cleanEnvironment, testEndpoint } from '../support/endpoint.ts';
import { libmdbxMissing, startWriter, withoutNumbers, write } from '../support/mdbx.ts';
import { MemoryRepository } from '../support/memory-repository.ts';
import { commandLine, repository } from '../support/paths.ts';
import { program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const missing = libmdbxMissing();
const clock = { now: Date.now };
const small = { pageSize: 4096, seed: 5, commits: 20, changes: 100 } as const;

async function take(path: string, scratch: string, options: Partial<MdbxSourceOptions>): Promise<string> {
  const store = new MemoryRepository();
  const source = mdbxSource({ path, scratch, method: 'auto', mdbxCopy: undefined, clock, ...options });
  await using frozen = await source.freeze({ base: undefined, store });
  return (await frozen.store(store)).method;
}

skipUnless(missing === undefined, missing ?? '')('copying an environment', () => {
  /** A program in the place of mdbx_copy. */
  const standIn = async (directory: string, script: string) => {
    const file = join(directory, 'tool');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  };

  test('mdbx_copy has its time, and its exit code counts: what it left is removed', async () => {
    await using directory = await temporaryDirectory('copy');
    const path = join(directory.path, 'source');
    await write(path, small);
    const scratch = join(directory.path, 'scratch');
    await mkdir(scratch);
    const copy = async (script: string, limitMs?: number) => {
      const mdbxCopy = await standIn(directory.path, script);
      return copyByTool({ path, mdbxCopy, clock }, join(scratch, 'copy'), undefined, limitMs);
    };
    await expect(copy('echo half > "$3"; exec sleep 60', 300)).rejects.toMatchObject({
      code: 'method',
      message: expect.stringContaining('longer than 300 ms'),
    });
    await expect(copy('echo half > "$3"; echo no room >&2; exit 5')).rejects.toMatchObject({
      code: 'method',
      message: expect.stringContaining('no room'),
    });
    expect(await readdir(scratch)).toEqual([]);
    // A tool that says it is done and has copied half is found out.
    const mdbxCopy = await standIn(directory.path, 'head -c 30000 "$2" > "$3"');
    await expect(take(path, scratch, { method: 'mdbx_copy', mdbxCopy })).rejects.toMatchObject({ code: 'structure' });
    expect(await readdir(scratch)).toEqual([]);
    await expect(take(path, scratch, { method: 'mdbx_copy' })).rejects.toMatchObject({
      message: 'mdbx_copy is not installed',
    });
  });

  test('offline is refused while somebody has it open', async () => {
    await using directory = await temporaryDirectory('copy');
    const path = join(directory.path, 'source');
    await write(path, small);
    expect(await take(path, directory.path, { method: 'offline' })).toBe('offline');
    await using writer = await startWriter(path, { ...small, seed: 6, rate: 5 });
    await expect(take(path, directory.path, { method: 'offline' })).rejects.toMatchObject({
      code: 'method',
      message: expect.stringContaining('is open in process'),
    });
    await writer.stop();
  });

  test('pages without numbers, no mdbx_copy, and nobody who has it open: taken as closed', async () => {
    await using directory = await temporaryDirectory('copy');
    const path = join(directory.path, 'source');
    await write(path, small);
    withoutNumbers(path, 4096);
    expect(await take(path, directory.path, {})).toBe('offline');
    await using writer = await startWriter(path, { ...small, changes: 1, rate: 1 });
    await expect(take(path, directory.path, {})).rejects.toMatchObject({ code: 'method' });
    await writer.stop();
  });
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0;
skipUnless(missing === undefined && canMount, missing ?? 'mounting a small file system needs Linux and root')(
  'a scratch disk that is full',
  () => {
    test('is said before the tool begins', async () => {
      await using directory = await temporaryDirectory('full');
      const [path, scratch] = [join(directory.path, 'source'), join(directory.path, 'scratch')];
      await write(path, { ...small, changes: 1000, mode: 'nosync' });
      await mkdir(scratch);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'bucketwright-test', scratch]);
      try {
        await expect(take(path, scratch, { method: 'mdbx_copy', mdbxCopy: '/bin/false' })).rejects.toMatchObject({
          code: 'method',
          message: expect.stringMatching(/^the copy needs .* are free$/),
          advice: expect.stringContaining('--scratch'),
        });
        // Left to itself it takes the way that needs no disk.
        expect(await take(path, scratch, { mdbxCopy: '/bin/false' })).toBe('reader');
      } finally {
        execFileSync('umount', [scratch]);
      }
    });
  },
);

const gcc = program('gcc');
skipUnless(
  missing === undefined && gcc !== undefined,
  missing ?? 'gcc is not installed: it makes the library that fails reads',
)('a disk that cannot read a page', () => {
  test('is said with where, nothing is stored, and the next run stores it', { timeout: 60_000 }, async () => {
    await using endpoint = await testEndpoint();
    await using directory = await temporaryDirectory('eio');
    const client = clientOf(endpoint);
    const store = await freshStore(client, 'node');
    const path = join(directory.path, 'source');
    await write(path, small);
    const library = join(directory.path, 'eio.so');
    const code = join(repository, 'test/fault/eio.c');
    execFileSync(gcc ?? '', ['-shared', '-fPIC', '-O1', '-o', library, code, '-ldl']);
    const { bucket, prefix } = store.storage.place;
    const env = cleanEnvironment({
      ...endpointSettings(endpoint),
      S3_BUCKET_BACKUP: bucket,
      S3_PREFIX_BACKUP: prefix,
      BUCKETWRIGHT_BACKUP_PASSPHRASE: passphraseText,
    });
    const backup = (more: NodeJS.ProcessEnv, code: number) =>
      run(process.execPath, [commandLine, 'backup', 'run', 'node', path, '--method', 'reader'], {
        cwd: directory.path,
        env: { ...env, ...more },
        allow: [code],
      });
    const broken = { EIO_SWITCH: path, EIO_BELOW: path, EIO_PERCENT: '100', EIO_ONLY: 'read', EIO_AT: `${40 * 4096}` };
    const { stderr } = await backup({ LD_PRELOAD: library, ...broken }, 1);
    expect(stderr).toMatch(/source cannot be read at byte \d+ \(EIO\); the disk cannot read it/);
    expect(await collect(store.names())).toEqual([]);
    await backup({}, 0);
    expect(await collect(store.names())).toHaveLength(1);
    client.close();
  });
});
