import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DataFile } from '../../src/backup/mdbx/data-file.ts';
import { dumpTable, pagesOf, tableNames } from '../../src/backup/mdbx/dump.ts';
import { dumpByTool, libmdbxMissing, loadByTool, write } from '../support/mdbx.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const missing = libmdbxMissing();

async function dumped(path: string, name: string): Promise<string> {
  const file = new DataFile(path);
  try {
    const { meta } = file.head();
    const lines = await dumpTable(pagesOf(file, meta), meta, name);
    if (lines === undefined) throw new Error(`no table ${name}`);
    let text = '';
    for await (const line of lines) text += line;
    return text;
  } finally {
    file.close();
  }
}

/** From the flags on: sizes of the environment are told in more words by the tool. */
const body = (text: string): string => text.slice(text.indexOf('duplicates='));

skipUnless(missing === undefined, missing ?? '')("a table's dump", () => {
  test.each(['plain', 'dup', 'dupfix', 'large', 'intkey', 'sub000'])(
    "%s is mdbx_dump's, and mdbx_load makes the same of it",
    async (name) => {
      await using directory = await temporaryDirectory('dump');
      const path = join(directory.path, 'source');
      await write(path, { pageSize: 1024, seed: 3, commits: 20, changes: 500, mode: 'nosync' });
      const text = await dumped(path, name);
      const expected = await dumpByTool(path, name);
      expect(text.length).toBeGreaterThan(500);
      expect(body(text) === body(expected)).toBe(true);
      await writeFile(join(directory.path, 'dump'), text);
      const loaded = join(directory.path, 'loaded');
      await loadByTool(join(directory.path, 'dump'), loaded);
      expect(body(await dumpByTool(loaded, name)) === body(text)).toBe(true);
    },
  );

  test('names are told, and one that is not there is none', async () => {
    await using directory = await temporaryDirectory('dump');
    const path = join(directory.path, 'source');
    await write(path, { pageSize: 4096, seed: 3, commits: 1, changes: 50, mode: 'nosync' });
    const file = new DataFile(path);
    const { meta } = file.head();
    const pages = pagesOf(file, meta);
    const names: string[] = [];
    for await (const name of tableNames(pages, meta)) names.push(name);
    expect(names).toEqual(expect.arrayContaining(['plain', 'dup', 'dupfix', 'large', 'intkey', 'state', 'sub039']));
    expect(await dumpTable(pages, meta, 'nothing')).toBeUndefined();
    file.close();
  });
});
