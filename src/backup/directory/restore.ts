import { chmod, lstat, mkdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beginFile } from '../../fs/file-in-progress.ts';
import { type DirectoryContent, treeSchema } from '../repository/model.ts';
import { changed } from '../repository/sealed.ts';
import type { BlobStore } from '../source/port.ts';

export interface RestoreTree {
  readonly content: DirectoryContent;
  readonly store: BlobStore;
  readonly target: string;
  /** Of the snapshot: an interrupted attempt at the same one is gone on with. Undefined: all is made anew. */
  readonly id?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a directory tree; each file gets its name when it is whole and synced.
 * @throws BackupError `damaged`
 */
export async function restoreTree({
  content,
  store,
  target,
  id,
  signal,
}: RestoreTree): Promise<{ readonly path: string; readonly bytes: number }> {
  const { entries } = await store.document(content.tree, treeSchema);
  let bytes = 0;
  await mkdir(target, { recursive: true });
  const again = id !== undefined && (await restoringIn(target)) === id;
  const mark = join(target, MARK);
  if (id !== undefined) await writeFile(mark, id, { mode: 0o600 });
  for (const entry of entries) {
    signal?.throwIfAborted();
    const path = join(target, safe(entry.path));
    switch (entry.kind) {
      case 'directory':
        await mkdir(path, { recursive: true });
        break;
      case 'link':
        await rm(path, { force: true });
        await symlink(entry.target, path);
        break;
      case 'file': {
        bytes += entry.size;
        if (again && (await isThere(path, entry))) break;
        const file = await beginFile(path, async () => undefined, entry.mode | 0o200);
        try {
          let at = 0;
          const wanted = entry.blobs.map((blob) => ({ blob, what: blob }));
          for await (const { bytes: piece } of store.blobs(wanted)) {
            await file.write(piece, at);
            at += piece.length;
          }
          if (at !== entry.size) throw changed(entry.path, `${at} bytes instead of ${entry.size}`);
          await file.commit(entry.modified);
        } catch (error) {
          await file.discard();
          throw error;
        }
        await chmod(path, entry.mode);
        await utimes(path, new Date(), new Date(entry.modified));
        break;
      }
    }
  }
  // Last, and the deepest first: a directory that nobody may write to must not stop what goes into it.
  for (const entry of entries.toReversed()) {
    if (entry.kind === 'directory') await chmod(join(target, entry.path), entry.mode);
  }
  await rm(mark, { force: true });
  return { path: target, bytes };
}

/** Holds the snapshot's id while a tree is made. */
const MARK = '.bucketwright-restore';

/** The id of the snapshot that an interrupted restore was making there. */
export async function restoringIn(target: string): Promise<string | undefined> {
  return readFile(join(target, MARK), 'utf8').catch(() => undefined);
}

/** A file gets its name and time when all of it is synced. */
async function isThere(path: string, { size, modified }: { size: number; modified: number }): Promise<boolean> {
  const there = await lstat(path).catch(() => undefined);
  // Times are kept to the millisecond.
  return there?.isFile() === true && there.size === size && Math.abs(there.mtimeMs - modified) < 1;
}

/** A path out of the repository stays below the target. */
function safe(path: string): string {
  const steps = path.split('/');
  if (
    path.startsWith('/') ||
    path.includes('\0') ||
    steps.some((step) => step === '' || step === '.' || step === '..')
  ) {
    throw changed(path, 'it is no path within the tree');
  }
  return path;
}
