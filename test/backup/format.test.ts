/** The format's document is enough for a second implementation: one in Python restores what this one stored. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Snapshot, SourceStore } from '../../src/backup/index.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { backUpOne, clientOf, collect, freshStore, passphraseText } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { checkEnvironment, contentOf, libmdbxMissing, write } from '../support/mdbx.ts';
import { repository } from '../support/paths.ts';
import { program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const python = program('python3') ?? 'python3';
const hasCryptography =
  existsSync(python) && (await run(python, ['-c', 'import cryptography'], { allow: [0, 1] })).code === 0;
const missing =
  libmdbxMissing() ??
  (hasCryptography && program('zstd') !== undefined
    ? undefined
    : 'python3-cryptography and zstd are not installed (script/setup-clients)');

skipUnless(missing === undefined, missing ?? '')('a second reader, in Python', () => {
  let endpoint: DisposableEndpoint;
  let client: ObjectClient;
  beforeAll(async () => {
    endpoint = await testEndpoint();
    client = clientOf(endpoint);
  });
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
  });

  async function restoreByPython(store: SourceStore, objects: string, target: string): Promise<string> {
    for await (const { name } of store.storage.list('')) {
      const bytes = await store.storage.read(name);
      const file = join(objects, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes ?? '');
    }
    const script = join(repository, 'test/backup/restore.py');
    const args = [script, objects, store.source, target];
    return (await run(python, args, { input: `${passphraseText}\n`, timeoutMs: 120_000 })).stdout.trim();
  }

  test('restores an environment with increments and merged layers', { timeout: 120_000 }, async () => {
    await using directory = await temporaryDirectory('format');
    const store = await freshStore(client, 'node');
    const path = join(directory.path, 'node');
    await write(path, { pageSize: 4096, seed: 1, commits: 30, changes: 300, mode: 'nosync', keys: 20_000 });
    let sum: bigint | undefined;
    let snapshot: Snapshot | undefined;
    for (let round = 0; round < 7; round++) {
      sum = (await write(path, { pageSize: 4096, seed: 2 + round, commits: 1, changes: 2, keys: 20_000 })).at(-1)?.sum;
      snapshot = await backUpOne(store, { kind: 'mdbx', path, scratch: directory.path });
    }
    if (snapshot?.content.kind !== 'mdbx') throw new Error('no snapshot');
    expect(snapshot.content.layers.length).toBeGreaterThan(1);
    const target = join(directory.path, 'restored');
    expect(await restoreByPython(store, join(directory.path, 'objects'), target)).toBe(snapshot.id);
    await checkEnvironment(target);
    expect((await contentOf(target)).sum).toBe(sum);
  });

  test('restores a tree', { timeout: 60_000 }, async () => {
    await using directory = await temporaryDirectory('format');
    const store = await freshStore(client, 'tree');
    const path = join(directory.path, 'tree');
    await mkdir(join(path, 'deep'), { recursive: true });
    await writeFile(join(path, 'deep/large'), Buffer.alloc(2_500_000, 'text '));
    await writeFile(join(path, 'empty'), '');
    await symlink('deep/large', join(path, 'link'));
    await backUpOne(store, { kind: 'directory', path, scratch: directory.path });
    const target = join(directory.path, 'restored');
    await restoreByPython(store, join(directory.path, 'objects'), target);
    expect((await readFile(join(target, 'deep/large'))).equals(Buffer.alloc(2_500_000, 'text '))).toBe(true);
    expect(await readFile(join(target, 'empty'), 'utf8')).toBe('');
    expect(await readlink(join(target, 'link'))).toBe('deep/large');
    expect(await collect(store.names())).toHaveLength(1);
  });
});
