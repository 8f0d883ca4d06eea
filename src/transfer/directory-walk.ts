import { type BigIntStats, constants, type Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../core/errors.ts';
import { isTemporaryName } from '../fs/file-in-progress.ts';
import { compareKeys } from './keys.ts';
import type { Listed } from './place.ts';

/** Reading flags for content: never through a symbolic link that took a file's place, never waiting for a pipe's writer. */
export const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What a file is, without reading it. */
export function versionOf(stats: BigIntStats): string {
  return `${stats.mtimeNs}-${stats.size}-${stats.ino}`;
}

/** Everything below `root`, in the order of keys. Links are never followed. Empty directories are nothing. */
export async function walk(root: string, signal?: AbortSignal): Promise<Listed[]> {
  const found: Listed[] = [];
  const pending = [''];
  for (let prefix = pending.pop(); prefix !== undefined; prefix = pending.pop()) {
    signal?.throwIfAborted();
    // Names as bytes: one that is no UTF-8 would otherwise be read as another name.
    const entries = await readdir(join(root, prefix), { encoding: 'buffer', withFileTypes: true }).catch(
      (error: unknown) => {
        // Gone since its parent was read.
        if (prefix !== '' && systemErrorCode(error) === 'ENOENT') return [];
        throw error;
      },
    );
    for (const entry of entries) {
      const name = decode(entry.name);
      const key = `${prefix}${name ?? entry.name.toString('latin1')}`;
      if (name === undefined) found.push({ kind: 'oddity', key, reason: 'its name is no UTF-8' });
      else if (entry.isDirectory()) pending.push(`${key}/`);
      else {
        const listed = await look(root, key, entry);
        if (listed !== undefined) found.push(listed);
      }
    }
  }
  return found.sort((a, b) => compareKeys(a.key, b.key));
}

async function look(root: string, key: string, entry: Dirent<Buffer>): Promise<Listed | undefined> {
  if (entry.isSymbolicLink()) return { kind: 'oddity', key, reason: 'a symbolic link: links are not followed' };
  if (!entry.isFile()) return { kind: 'oddity', key, reason: 'neither a file nor a directory' };
  if (isTemporaryName(key)) {
    return { kind: 'oddity', key, reason: 'the unfinished file of a transfer that was interrupted' };
  }
  try {
    const stats = await lstat(join(root, key), { bigint: true });
    return {
      kind: 'object',
      key,
      size: Number(stats.size),
      modified: Number(stats.mtimeMs),
      etag: undefined,
      version: versionOf(stats),
    };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function decode(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}
