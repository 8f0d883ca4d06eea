import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MiB } from '../../core/sizes.ts';
import { type ResumableFile, resumeFile } from '../../fs/resumable-file.ts';
import { BackupError } from '../errors.ts';
import { type BlobRef, layerSchema, type MdbxContent, type Segment } from '../repository/model.ts';
import { changed } from '../repository/sealed.ts';
import type { BlobStore, Wanted } from '../source/port.ts';
import { metaPages } from './assemble.ts';
import { PageSet } from './bitmap.ts';
import { DataFile } from './data-file.ts';
import { type Meta, readMeta } from './layout.ts';
import { strict, walk } from './walk.ts';

export interface RestoreEnvironment {
  readonly content: MdbxContent;
  readonly store: BlobStore;
  /** The directory or data file to make. */
  readonly target: string;
  /** Of the snapshot: an interrupted attempt at the same one is gone on with. Undefined: a failure leaves nothing. */
  readonly id?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes under way at once. */
const WRITES = 4;
/** So much may have to be fetched again after a crash. */
const CHECKPOINT = 32 * MiB;

/**
 * Makes an environment that libmdbx opens at once. It gets its name when it is whole, synced, and was walked page by page;
 * before that nothing is at the target.
 * @throws BackupError `damaged`, `structure`
 */
export async function restoreEnvironment(
  options: RestoreEnvironment,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const { content, target, id, signal } = options;
  const meta = metaOf(content);
  await mkdir(content.subdirectory ? target : dirname(target), { recursive: true });
  const path = content.subdirectory ? join(target, 'mdbx.dat') : target;
  const file = await resumeFile(path, id ?? randomBytes(8).toString('hex'));
  try {
    const size = meta.endPage * meta.pageSize;
    await file.write(Buffer.alloc(1), size - 1);
    await writePages(options, meta, file.write, file);
    await prove(file.temporary, content, signal);
    await file.commit();
    return { path, bytes: size };
  } catch (error) {
    // What contradicts itself although all of it was written is no start for another attempt.
    const useless = error instanceof BackupError && error.code === 'structure';
    if (useless || id === undefined) await file.discard();
    else await file.suspend();
    throw error;
  }
}

/** @throws BackupError `damaged` */
export function metaOf(content: MdbxContent): Meta {
  const meta = readMeta(Buffer.from(content.meta, 'base64'), content.slot);
  if (meta !== undefined && meta.txnid === content.txnid && meta.pageSize === content.pageSize) return meta;
  throw changed(`transaction ${content.txnid}`, 'its meta page is none');
}

/**
 * Writes all pages that the layers hold, the newest of each, and the metas. The newest layer is read first, and its last
 * segment: what newer ones wrote is not read from older.
 * @param write may be called again before it has resolved, for another range
 */
export async function writePages(
  { content, store, signal }: Pick<RestoreEnvironment, 'content' | 'store' | 'signal'>,
  meta: Meta,
  write: (bytes: Uint8Array, position: number) => Promise<void>,
  progress?: Pick<ResumableFile, 'done' | 'note' | 'checkpoint'>,
): Promise<void> {
  const { pageSize, firstUnallocated } = meta;
  // Older layers may hold pages that are beyond the end since the environment shrank: those count as written.
  const written = new PageSet(firstUnallocated);
  const writing = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const begin = (bytes: Buffer, position: number) => {
    const done = write(bytes, position)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => writing.delete(done));
    writing.add(done);
  };
  let unnoted: string[] = [];
  let since = 0;
  // What is noted is all that came before, in an order that is the same each time.
  const note = async () => {
    await Promise.all(writing);
    if (failure !== undefined) throw failure.error;
    for (const part of unnoted) progress?.note(part);
    [unnoted, since] = [[], 0];
    await progress?.checkpoint();
  };
  /** An earlier attempt has written it: its pages count as written. */
  const wroteBefore = ({ runs }: Segment): true => {
    for (const [first, count] of runs) {
      for (let page = first; page < Math.min(first + count, firstUnallocated); page++) written.add(page);
    }
    return true;
  };
  for (const ref of content.layers.toReversed()) {
    const { segments } = await store.document(ref, layerSchema);
    const wanted: Wanted<Segment>[] = segments
      .toReversed()
      .filter(({ runs }) =>
        runs.some(([first, count]) => !written.hasAll(first, Math.min(count, firstUnallocated - first))),
      )
      .map((segment) => ({ blob: segment.blob, what: segment }));
    const left = wanted.filter(({ blob, what }) => progress?.done.has(partOf(blob)) !== true || !wroteBefore(what));
    for await (const { what, bytes } of store.blobs(left)) {
      signal?.throwIfAborted();
      let at = bytes.length;
      // A segment may hold a page twice, like a layer: the later bytes count.
      for (const [first, count] of what.runs.toReversed()) {
        at -= count * pageSize;
        const last = Math.min(first + count, firstUnallocated);
        // Neighbouring new pages in one write.
        for (let page = first; page < last; ) {
          let end = page;
          while (end < last && written.add(end)) end += 1;
          const from = at + (page - first) * pageSize;
          if (end > page) begin(bytes.subarray(from, from + (end - page) * pageSize), page * pageSize);
          // The page at `end` was there already.
          page = end + 1;
        }
      }
      while (writing.size >= WRITES) await Promise.race(writing);
      if (failure !== undefined) throw failure.error;
      unnoted.push(partOf(what.blob));
      since += bytes.length;
      if (since >= CHECKPOINT) await note();
    }
  }
  await Promise.all(writing);
  if (failure !== undefined) throw failure.error;
  await write(metaPages(meta), 0);
}

const partOf = ({ pack, offset }: BlobRef): string => `${pack}:${offset}`;

/** Walks all of it: every page is there, is what it should be, and the trees hold what their records say. */
async function prove(path: string, { txnid }: MdbxContent, signal: AbortSignal | undefined): Promise<void> {
  const file = new DataFile(path);
  try {
    const { meta } = file.head();
    if (meta.txnid !== txnid) throw changed(path, `it holds transaction ${meta.txnid}, not ${txnid}`);
    await walk(file, meta, strict, signal);
  } finally {
    file.close();
  }
}
