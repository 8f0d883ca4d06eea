import { closeSync, openSync, writeSync } from 'node:fs';
import { copyFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { metaPages } from '../../src/backup/mdbx/assemble.ts';
import { type Base, type Captured, capture } from '../../src/backup/mdbx/capture.ts';
import { checkEnvironment, contentOf, createEmpty, libmdbxMissing, startWriter, write } from '../support/mdbx.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const missing = libmdbxMissing();

/** Writes what was captured over `target`, as a restore does. */
async function assemble(captured: Captured, target: string): Promise<void> {
  const { meta } = captured;
  const fd = openSync(target, captured.base === undefined ? 'w' : 'r+');
  try {
    for (const { first, count } of captured.pages.runs(64)) {
      writeSync(fd, captured.read(first, count), 0, count * meta.pageSize, first * meta.pageSize);
    }
    const metas = metaPages(meta);
    writeSync(fd, metas, 0, metas.length, 0);
  } finally {
    closeSync(fd);
  }
  await truncate(target, meta.endPage * meta.pageSize);
  captured.close();
}

const pageSizes = [256, 512, 1024, 4096, 16_384, 65_536] as const;

skipUnless(missing === undefined, missing ?? '')('an MDBX environment that libmdbx wrote', () => {
  test.each(pageSizes)('with pages of %i bytes is copied so that libmdbx finds the same in it', async (pageSize) => {
    await using directory = await temporaryDirectory('mdbx');
    const path = join(directory.path, 'source');
    const commits = await write(path, { pageSize, seed: pageSize, commits: 60, changes: 150, mode: 'nosync' });
    const captured = await capture(path, { scratch: join(directory.path, 'scratch') });
    const copy = join(directory.path, 'copy');
    await assemble(captured, copy);
    await checkEnvironment(copy);
    const { counter, sum } = await contentOf(copy);
    expect({ counter, sum }).toEqual({ counter: 60n, sum: commits.at(-1)?.sum });
  });

  test('that is empty is copied', async () => {
    await using directory = await temporaryDirectory('mdbx');
    const path = join(directory.path, 'source');
    await createEmpty(path, 4096);
    const captured = await capture(path, { scratch: join(directory.path, 'scratch') });
    await assemble(captured, join(directory.path, 'copy'));
    await checkEnvironment(join(directory.path, 'copy'));
    expect(captured.pages.size).toBe(0);
  });

  test('grows by increments that read and hold what changed only', async () => {
    await using directory = await temporaryDirectory('mdbx');
    const path = join(directory.path, 'source');
    const copy = join(directory.path, 'copy');
    const scratch = join(directory.path, 'scratch');
    const options = { pageSize: 4096, changes: 300, mode: 'nosync', keys: 20_000 } as const;
    await write(path, { ...options, seed: 1, commits: 150 });
    const whole = await capture(path, { scratch });
    const [pages, read] = [whole.pages.size, whole.bytesRead];
    let base: Base = { txnid: whole.meta.txnid, environmentId: whole.meta.environmentId, file: whole.identity };
    await assemble(whole, copy);
    for (const seed of [2, 3, 4]) {
      const commits = await write(path, { ...options, seed, commits: 2, changes: 5 });
      const captured = await capture(path, { scratch, base });
      expect(captured.base).toEqual(base);
      expect(captured.pages.size).toBeLessThan(pages / 4);
      expect(captured.bytesRead).toBeLessThan(read);
      base = { ...base, txnid: captured.meta.txnid };
      await assemble(captured, copy);
      await checkEnvironment(copy);
      expect((await contentOf(copy)).sum).toBe(commits.at(-1)?.sum);
    }
  });

  test('is copied whole when another one was put in its place', async () => {
    await using directory = await temporaryDirectory('mdbx');
    const path = join(directory.path, 'source');
    const scratch = join(directory.path, 'scratch');
    await write(path, { pageSize: 4096, seed: 1, commits: 3, changes: 50 });
    const first = await capture(path, { scratch });
    first.close();
    await copyFile(path, join(directory.path, 'other'));
    const base = { txnid: first.meta.txnid, environmentId: first.meta.environmentId, file: first.identity };
    const second = await capture(join(directory.path, 'other'), { scratch, base });
    second.close();
    expect(second.base).toBeUndefined();
  });

  test.each([
    ['durable', 200],
    ['nometasync', 200],
    ['nosync', 100],
  ] as const)(
    'is copied while a writer commits (%s, at most %i a second): every copy is one of its commits',
    async (mode, rate) => {
      await using directory = await temporaryDirectory('mdbx');
      const path = join(directory.path, 'source');
      const scratch = join(directory.path, 'scratch');
      const options = { pageSize: 4096, changes: 20, keys: 5_000 } as const;
      await write(path, { ...options, seed: 8, commits: 200, changes: 200, mode: 'nosync' });
      await using writer = await startWriter(path, { ...options, seed: 9, mode, rate });
      const copy = join(directory.path, 'copy');
      let base: Base | undefined;
      const passes: number[] = [];
      const found: { counter: bigint; sum: bigint }[] = [];
      for (let round = 0; round < 8; round++) {
        const captured = await capture(path, { scratch, base });
        passes.push(captured.passes);
        base = { txnid: captured.meta.txnid, environmentId: captured.meta.environmentId, file: captured.identity };
        await assemble(captured, copy);
        await checkEnvironment(copy);
        found.push(await contentOf(copy));
      }
      await writer.stop();
      const bySum = new Map(writer.commits.map(({ counter, sum }) => [sum, counter]));
      // The first may be of before the writer.
      for (const { counter, sum } of found.slice(1)) expect(bySum.get(sum)).toBe(counter);
      expect(new Set(found.map(({ counter }) => counter)).size).toBeGreaterThan(1);
      console.log(`passes (${mode}): ${passes.join(' ')}`);
    },
  );

  test('that is damaged is refused, and named', async () => {
    await using directory = await temporaryDirectory('mdbx');
    const path = join(directory.path, 'source');
    const scratch = join(directory.path, 'scratch');
    await write(path, { pageSize: 4096, seed: 5, commits: 20, changes: 100 });
    const whole = await capture(path, { scratch });
    const [{ first = 0 } = {}] = whole.pages.runs(1);
    whole.close();
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.alloc(64, 0xee), 0, 64, first * 4096);
    closeSync(fd);
    await expect(capture(path, { scratch })).rejects.toMatchObject({ code: 'structure', subject: `page ${first}` });
  });

  test('of something else is refused as no environment', async () => {
    await using directory = await temporaryDirectory('mdbx');
    const path = join(directory.path, 'source');
    await writeFile(path, Buffer.alloc(100_000, 'text '));
    await expect(capture(path, { scratch: join(directory.path, 's') })).rejects.toMatchObject({ code: 'not-mdbx' });
  });
});
