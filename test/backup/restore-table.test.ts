import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreTable } from '../../src/backup/index.ts';
import { backUpOne, clientOf, endpointSettings, freshStore, passphraseText } from '../support/backup.ts';
import { cleanEnvironment } from '../support/endpoint.ts';
import { dumpByTool, libmdbxMissing, write } from '../support/mdbx.ts';
import { commandLine } from '../support/paths.ts';
import { CommandFailed, run } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const missing = libmdbxMissing();

/** From the flags on: the tool tells sizes of the environment in more words. */
const body = (text: string): string => text.slice(text.indexOf('duplicates='));

skipUnless(missing === undefined, missing ?? '')('one table of a snapshot', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  test.each(['plain', 'dup', 'large'])('%s out of several increments is as the environment had it', async (table) => {
    await using directory = await temporaryDirectory('table');
    const path = join(directory.path, 'source');
    const store = await freshStore(clientOf(server), 'node');
    const source = { kind: 'mdbx', path, scratch: directory.path } as const;
    for (const [seed, commits] of [
      [1, 20],
      [2, 2],
      [3, 1],
    ] as const) {
      await write(path, { pageSize: 4096, seed, commits, changes: 200, mode: 'nosync' });
      await backUpOne(store, source);
    }
    const snapshot = await backUpOne(store, source);
    const expected = await dumpByTool(path, table);
    // What the environment becomes afterwards is not in the snapshot.
    await write(path, { pageSize: 4096, seed: 4, commits: 2, changes: 200, mode: 'nosync' });
    const target = join(directory.path, 'dump');
    const bytes = await restoreTable({ store, snapshot, table, target, force: false });
    const text = await readFile(target, 'utf8');
    expect(bytes).toBe(Buffer.byteLength(text));
    expect(body(text).length).toBeGreaterThan(500);
    expect(body(text) === body(expected)).toBe(true);

    const again = restoreTable({ store, snapshot, table, target, force: false });
    await expect(again).rejects.toMatchObject({ code: 'target-exists' });
    const none = restoreTable({ store, snapshot, table: 'none', target: `${target}2`, force: false });
    await expect(none).rejects.toMatchObject({ code: 'no-such-snapshot', advice: expect.stringContaining('plain') });
  });

  test('by the command line, which writes nothing where it refuses', async () => {
    await using directory = await temporaryDirectory('table');
    const path = join(directory.path, 'source');
    await write(path, { pageSize: 4096, seed: 1, commits: 5, changes: 100, mode: 'nosync' });
    const env = cleanEnvironment({
      ...endpointSettings(server),
      S3_BUCKET_BACKUP: 'backup-table',
      BUCKETWRIGHT_BACKUP_PASSPHRASE: passphraseText,
    });
    const backup = (...args: string[]) =>
      run(process.execPath, [commandLine, 'backup', ...args], { cwd: directory.path, env });
    await clientOf(server).createBucket('backup-table');
    await backup('init');
    await backup('run', 'node', path, '--method', 'reader');
    const { stdout } = await backup('restore', 'node', 'plain.dump', '--table', 'plain');
    expect(stdout).toMatch(/^dumped {2}plain of node /);
    const text = await readFile(join(directory.path, 'plain.dump'), 'utf8');
    expect(body(text) === body(await dumpByTool(path, 'plain'))).toBe(true);

    await writeFile(join(directory.path, 'mine'), 'mine');
    const refused = await backup('restore', 'node', 'mine', '--table', 'plain').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CommandFailed);
    expect(await readFile(join(directory.path, 'mine'), 'utf8')).toBe('mine');
  });
});
