import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bodyOfKey, bodyPath } from '../../src/store/body/reference.ts';
import { openIndex } from '../../src/store/index/database.ts';

/**
 * Every body file belongs to an index entry, and every entry has its file: nothing piles up.
 * @param data a data directory whose server has ended
 */
export async function checkNoOrphans(data: string): Promise<void> {
  const index = openIndex({ directory: join(data, 'index'), durable: true });
  const expected = Array.from(index.files.getRange(), ({ key }) => bodyPath(bodyOfKey(key)));
  await index.root.close();
  expect((await bodyFiles(data)).sort()).toEqual(expected.sort());
}

/** The body files of a data directory, relative to it; its server may be running. */
export async function bodyFiles(data: string): Promise<string[]> {
  const entries = await readdir(join(data, 'bodies'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(data.length + 1));
}
