import { chmod, lstat, mkdir, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beginFile } from '../fs/file-in-progress.ts';
import { BackupError } from './errors.ts';
import { metaPages } from './mdbx/assemble.ts';
import { PageSet } from './mdbx/bitmap.ts';
import { DataFile } from './mdbx/data-file.ts';
import { META_PAGES, readMeta } from './mdbx/layout.ts';
import { walk } from './mdbx/walk.ts';
import { layerSchema, type MdbxContent, type Segment, type Snapshot, treeSchema } from './repository/model.ts';
import { snapshotKey } from './repository/names.ts';
import { readBlobs, type Wanted } from './repository/reader.ts';
import { changed } from './repository/sealed.ts';
import type { SourceStore } from './repository/source-store.ts';

export interface RestoreOptions {
  readonly store: SourceStore;
  readonly snapshot: Snapshot;
  /** The directory or file to make. */
  readonly target: string;
  /** Replace what is there. */
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Restored {
  /** What opens: the data file, or the directory. */
  readonly path: string;
  readonly bytes: number;
  readonly requests: number;
  readonly milliseconds: number;
}

/**
 * Restores a snapshot to a new place. An environment gets its name when it is whole, synced, and was walked page by page;
 * before that nothing is at the target.
 * @throws BackupError `target-exists`, `damaged`, `structure`
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { store, snapshot, target, force } = options;
  const began = performance.now();
  const requests = store.storage.requests;
  const there = await lstat(target).catch(() => undefined);
  if (there !== undefined && !force) {
    throw new BackupError('target-exists', `${target} is there already`, {
      subject: target,
      advice: 'name a new place, or replace what it holds with --force',
    });
  }
  const result =
    snapshot.content.kind === 'mdbx'
      ? await restoreEnvironment(options, snapshot.content)
      : await restoreTree(options, snapshot.content.tree);
  return {
    ...result,
    requests: store.storage.requests - requests,
    milliseconds: Math.round(performance.now() - began),
  };
}

async function restoreEnvironment(options: RestoreOptions, content: MdbxContent) {
  const { snapshot, target, signal } = options;
  const meta = readMeta(Buffer.from(content.meta, 'base64'), content.slot);
  if (meta === undefined || meta.txnid !== content.txnid) throw changed(snapshotKey(snapshot), 'its meta page is none');
  await mkdir(content.subdirectory ? target : dirname(target), { recursive: true });
  const path = content.subdirectory ? join(target, 'mdbx.dat') : target;
  const file = await beginFile(path, async () => undefined, 0o600);
  try {
    const size = meta.endPage * meta.pageSize;
    await file.write(Buffer.alloc(1), size - 1);
    await writeLayers(options, content, file.write);
    await file.write(metaPages(meta), 0);
    await prove(file.temporary, content, signal);
    await file.commit();
    return { path, bytes: size };
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** Newest layer first, each page once: what newer ones wrote is not read from older. */
async function writeLayers(
  { store, signal }: RestoreOptions,
  content: MdbxContent,
  write: (bytes: Uint8Array, position: number) => Promise<void>,
): Promise<void> {
  let written = new PageSet(META_PAGES + 8);
  let capacity = META_PAGES + 8;
  for (const ref of content.layers.toReversed()) {
    const { segments } = await store.readDocument('layer', ref, layerSchema);
    const end = segments.reduce(
      (most, { runs }) => runs.reduce((to, [at, count]) => Math.max(to, at + count), most),
      0,
    );
    if (end > capacity) {
      const larger = new PageSet(end);
      for (const { first } of written.runs(1)) larger.add(first);
      [written, capacity] = [larger, end];
    }
    const wanted: Wanted<Segment>[] = segments
      .filter(({ runs }) => runs.some((run) => pagesOf(run).some((page) => !written.has(page))))
      .map((segment) => ({ blob: segment.blob, what: segment }));
    for await (const { what, bytes } of readBlobs(store, wanted)) {
      signal?.throwIfAborted();
      let at = 0;
      const { pageSize } = content;
      for (const [first, count] of what.runs) {
        // Neighbouring new pages in one write.
        for (let page = first; page < first + count; ) {
          let end = page;
          while (end < first + count && written.add(end)) end += 1;
          const from = at + (page - first) * pageSize;
          if (end > page) await write(bytes.subarray(from, from + (end - page) * pageSize), page * pageSize);
          // The page at `end` was there already.
          page = end + 1;
        }
        at += count * pageSize;
      }
    }
  }
}

const pagesOf = ([first, count]: readonly [number, number]): number[] =>
  Array.from({ length: count }, (_, i) => first + i);

/** Walks all of it: every page is there, is what it should be, and the trees hold what their records say. */
async function prove(file: string, content: MdbxContent, signal: AbortSignal | undefined): Promise<void> {
  const data = new DataFile(file);
  try {
    const head = data.head();
    if (head.txnid !== content.txnid) throw changed(file, `it holds transaction ${head.txnid}, not ${content.txnid}`);
    const nothing = { enter: () => true, page: () => undefined, run: () => undefined, leave: () => undefined };
    await walk(data, head, nothing, signal);
  } finally {
    data.close();
  }
}

async function restoreTree(options: RestoreOptions, tree: { readonly name: string; readonly bytes: number }) {
  const { store, target, signal } = options;
  const { entries } = await store.readDocument('layer', tree, treeSchema);
  let bytes = 0;
  await mkdir(target, { recursive: true });
  for (const entry of entries) {
    signal?.throwIfAborted();
    const path = join(target, safe(entry.path));
    switch (entry.kind) {
      case 'directory':
        await mkdir(path, { recursive: true });
        break;
      case 'link':
        await symlink(entry.target, path);
        break;
      case 'file': {
        const file = await beginFile(path, async () => undefined, entry.mode | 0o200);
        try {
          let at = 0;
          const wanted = entry.blobs.map((blob) => ({ blob, what: blob }));
          for await (const { bytes: piece } of readBlobs(store, wanted)) {
            await file.write(piece, at);
            at += piece.length;
          }
          if (at !== entry.size) throw changed(entry.path, `${at} bytes instead of ${entry.size}`);
          await file.commit(entry.modified);
          bytes += at;
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
  return { path: target, bytes };
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
