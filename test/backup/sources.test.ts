import { chmod, copyFile, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { restoreTree } from '../../src/backup/directory/restore.ts';
import { directorySource } from '../../src/backup/directory/source.ts';
import type { Method } from '../../src/backup/mdbx/options.ts';
import { restoreEnvironment } from '../../src/backup/mdbx/restore.ts';
import { mdbxSource } from '../../src/backup/mdbx/source.ts';
import { describeSnapshotSource, type SourceUnderTest } from '../contract/snapshot-source.ts';
import { sha256 } from '../support/content.ts';
import { checkEnvironment, contentOf, libmdbxMissing, mdbxCopy, write } from '../support/mdbx.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const clock = { now: Date.now };

describeSnapshotSource('a directory', {
  open: (path) => directorySource({ path, clock }),
  async create(path) {
    await mkdir(join(path, 'deep/er'), { recursive: true });
    await writeFile(join(path, 'deep/large'), Buffer.alloc(3_500_000, 'some bytes '));
    await writeFile(join(path, 'deep/er/empty'), '');
    await writeFile(join(path, 'deep/run'), '#!/bin/sh\n', { mode: 0o755 });
    await symlink('large', join(path, 'deep/link'));
    await chmod(join(path, 'deep/er'), 0o750);
  },
  change: async (path) => {
    await writeFile(join(path, 'new'), 'new');
    await rm(join(path, 'deep/run'));
  },
  async describe(path) {
    const lines: string[] = [];
    const visit = async (below: string): Promise<void> => {
      for (const name of (await readdir(join(path, below))).sort()) {
        const at = join(below, name);
        const facts = await lstat(join(path, at));
        const mode = (facts.mode & 0o7777).toString(8);
        if (facts.isDirectory()) {
          lines.push(`${at}/ ${mode}`);
          await visit(at);
        } else if (facts.isSymbolicLink()) lines.push(`${at} -> ${await readlink(join(path, at))}`);
        else {
          // Times are kept to the millisecond.
          const time = Math.floor(facts.mtimeMs + 0.01);
          lines.push(`${at} ${mode} ${time} ${sha256(await readFile(join(path, at)))}`);
        }
      }
    };
    await visit('.');
    return lines.join('\n');
  },
  restore: async (content, store, target) => {
    if (content.kind === 'directory') await restoreTree({ content, store, target });
  },
});

const missing = libmdbxMissing();
let template: Promise<{ readonly made: TemporaryDirectory; readonly file: string }> | undefined;
afterAll(async () => (await template)?.made.remove());

const environment = (method: Method): SourceUnderTest => ({
  open: (path, scratch) => mdbxSource({ path, scratch, method, mdbxCopy, clock }),
  async create(path) {
    // Made once: libmdbx takes most of the time.
    template ??= (async () => {
      const made = await temporaryDirectory('template');
      const file = join(made.path, 'source');
      await write(file, { pageSize: 4096, seed: 1, commits: 60, changes: 300, mode: 'nosync', keys: 10_000 });
      return { made, file };
    })();
    const { file } = await template;
    await copyFile(file, path);
    // libmdbx's own tool makes a lock file where there is none, and leaves it; our reader must make none.
    if (method === 'mdbx_copy' || method === 'auto') await copyFile(`${file}-lck`, `${path}-lck`);
  },
  async change(path) {
    await write(path, { pageSize: 4096, seed: 2, commits: 1, changes: 5 });
  },
  async describe(path) {
    await checkEnvironment(path);
    const { counter, sum } = await contentOf(path);
    return `${counter} ${sum}`;
  },
  restore: async (content, store, target) => {
    if (content.kind === 'mdbx') await restoreEnvironment({ content, store, target });
  },
});

skipUnless(missing === undefined, missing ?? '')('MDBX', () => {
  describeSnapshotSource('an MDBX environment by our reader', environment('reader'));
  describeSnapshotSource('an MDBX environment that nobody has open', environment('offline'));
  describeSnapshotSource('an MDBX environment by mdbx_copy', environment('mdbx_copy'));
  describeSnapshotSource('an MDBX environment by whatever is best', environment('auto'));
});
