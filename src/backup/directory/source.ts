import type { BigIntStats, Stats } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { systemErrorCode } from '../../core/errors.ts';
import { MiB } from '../../core/sizes.ts';
import { BackupError } from '../errors.ts';
import { type BlobRef, type Entry, treeSchema } from '../repository/model.ts';
import type { FreezeOptions, Sink, SnapshotSource, Stored } from '../source/port.ts';

const BLOCK = MiB;
/** Blocks that are packed at once, and the memory for it. */
const AT_ONCE = 4;

export interface DirectorySourceOptions {
  readonly path: string;
  readonly clock: Clock;
}

/**
 * A plain directory tree: directories, files and symbolic links. A file whose size, time and inode are those of the base is
 * not read again. Whoever writes meanwhile must be quiesced by hooks: a file that changes under the reading is read again,
 * and three times is an error.
 */
export function directorySource({ path, clock }: DirectorySourceOptions): SnapshotSource {
  return {
    kind: 'directory',
    async freeze(freezing) {
      return {
        frozen: false,
        store: (sink) => storeTree(path, clock, sink, freezing),
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

async function storeTree(root: string, clock: Clock, sink: Sink, freezing: FreezeOptions): Promise<Stored> {
  const { base, store, signal } = freezing;
  const time = clock.now();
  const known = new Map<string, Entry>();
  if (base?.kind === 'directory') {
    const { entries } = await store.document(base.tree, treeSchema);
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
        const stored = old?.kind === 'file' && unchanged(old, facts) ? old : await storeFile(root, below, sink, signal);
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
  await sink.finish();
  const tree = await sink.document({ version: 1, entries });
  return { method: 'files', content: { kind: 'directory', tree }, read, time };
}

const unchanged = (old: Extract<Entry, { kind: 'file' }>, facts: Stats): boolean =>
  old.size === facts.size && old.modified === facts.mtimeMs && old.inode === facts.ino;

type FileEntry = Extract<Entry, { kind: 'file' }>;

async function storeFile(root: string, path: string, sink: Sink, signal: AbortSignal | undefined): Promise<FileEntry> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const handle = await open(join(root, path), 'r');
    try {
      const first = await handle.stat({ bigint: true });
      const blobs: BlobRef[] = [];
      const adding = new Set<Promise<void>>();
      let size = 0;
      for (let index = 0; ; index++) {
        signal?.throwIfAborted();
        const block = Buffer.allocUnsafe(BLOCK);
        let filled = 0;
        while (filled < BLOCK) {
          const { bytesRead } = await handle.read(block, filled, BLOCK - filled, size + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        if (filled > 0) {
          const added = sink.add(block.subarray(0, filled)).then((blob) => {
            blobs[index] = blob;
            adding.delete(added);
          });
          adding.add(added);
          // A failure is thrown below; until then it must not count as unhandled.
          added.catch(() => undefined);
          if (adding.size >= AT_ONCE) await Promise.race(adding);
        }
        size += filled;
        if (filled < BLOCK) break;
      }
      await Promise.all(adding);
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
