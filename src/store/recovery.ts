import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../core/errors.ts';
import { bodyKey, bodyPath, segmentPath } from './body/reference.ts';
import { Segments } from './body/segments.ts';
import type { Index } from './index/database.ts';
import { bucketPrefix as numberKey } from './index/keys.ts';

/**
 * After a crash: files that were written but never committed are removed. They can only be in the segments that were open
 * then, so the work is bounded by what was under way, not by what is stored.
 * @returns how many files were removed
 */
export async function removeOrphans(directory: string, index: Index): Promise<number> {
  const open = Segments.open(index);
  let removed = 0;
  for (const segment of open) {
    for (const name of await filesOf(join(directory, segmentPath(segment)))) {
      const body = { segment, sequence: Number.parseInt(name, 16) };
      if (index.files.doesExist(bodyKey(body))) continue;
      await rm(join(directory, bodyPath(body)), { force: true });
      removed += 1;
    }
    await rmdir(join(directory, segmentPath(segment))).catch(() => undefined);
  }
  if (open.length > 0) {
    await index.root.transaction(() => {
      for (const segment of open) index.segments.removeSync(numberKey(segment));
    });
  }
  return removed;
}

async function filesOf(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => /^[0-9a-f]{8}$/.test(name));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
