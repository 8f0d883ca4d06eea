import type { BigIntStats, Stats } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/errors.ts';
import { MiB } from '../../core/sizes.ts';
import { BackupError } from '../errors.ts';
import { type BlobRef, type DocumentRef, type Entry, type Snapshot, treeSchema } from '../repository/model.ts';
import type { Packer } from '../repository/packer.ts';
import type { SourceStore } from '../repository/source-store.ts';

const BLOCK = MiB;

/**
 * Stores a plain directory tree: directories, files and symbolic links. A file whose size, time and inode are those of
 * the last snapshot is not read again. Whoever writes meanwhile must be quiesced by hooks: a file that changes under the
 * reading is read again, and three times is an error.
 */
export async function storeTree(
  root: string,
  packer: Packer,
  store: SourceStore,
  before: Snapshot | undefined,
  signal?: AbortSignal,
): Promise<{ readonly tree: DocumentRef; readonly read: number }> {
  const known = new Map<string, Entry>();
  if (before?.content.kind === 'directory') {
    const { entries } = await store.readDocument('layer', before.content.tree, treeSchema);
    for (const entry of entries) known.set(entry.path, entry);
  }
  const entries: Entry[] = [];
  let read = 0;
  const visit = async (path: string): Promise<void> => {
    for (const { name } of (await readdir(join(root, path), { withFileTypes: true })).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      signal?.throwIfAborted();
      const below = path === '' ? name : `${path}/${name}`;
      const facts = await lstat(join(root, below));
      const mode = facts.mode & 0o7777;
      if (facts.isDirectory()) {
        entries.push({ kind: 'directory', path: below, mode });
        await visit(below);
      } else if (facts.isSymbolicLink()) {
        entries.push({ kind: 'link', path: below, target: await readlink(join(root, below)) });
      } else if (facts.isFile()) {
        const old = known.get(below);
        const stored = old?.kind === 'file' && unchanged(old, facts) ? old : await storeFile(root, below, packer);
        if (stored !== old) read += stored.size;
        entries.push({ ...stored, mode });
      }
    }
  };
  try {
    await visit('');
  } catch (error) {
    if (error instanceof BackupError || systemErrorCode(error) === undefined) throw error;
    throw new BackupError('source', `${root} cannot be read whole (${systemErrorCode(error)})`, {
      subject: root,
      advice: 'check the path and the permissions below it; nothing was stored',
      cause: error,
    });
  }
  await packer.finish();
  return { tree: await store.putDocument('layer', { version: 1, entries }), read };
}

const unchanged = (old: Extract<Entry, { kind: 'file' }>, facts: Stats): boolean =>
  old.size === facts.size && old.modified === facts.mtimeMs && old.inode === facts.ino;

type FileEntry = Extract<Entry, { kind: 'file' }>;

async function storeFile(root: string, path: string, packer: Packer): Promise<FileEntry> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const handle = await open(join(root, path), 'r');
    try {
      const first = await handle.stat({ bigint: true });
      const blobs: BlobRef[] = [];
      let size = 0;
      for (;;) {
        const block = Buffer.allocUnsafe(BLOCK);
        let filled = 0;
        while (filled < BLOCK) {
          const { bytesRead } = await handle.read(block, filled, BLOCK - filled, size + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        if (filled > 0) blobs.push(await packer.add(block.subarray(0, filled)));
        size += filled;
        if (filled < BLOCK) break;
      }
      const last = await handle.stat();
      if (same(first, await handle.stat({ bigint: true })) && last.size === size) {
        const { mode, mtimeMs, ino } = last;
        return { kind: 'file', path, mode: mode & 0o7777, size, modified: mtimeMs, inode: ino, blobs };
      }
    } finally {
      await handle.close();
    }
  }
  throw new BackupError('source', `${path} changed three times while it was read`, {
    subject: path,
    advice: 'quiesce its writer with --before and --after; nothing was stored',
  });
}

const same = (a: BigIntStats, b: BigIntStats): boolean =>
  a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs;
