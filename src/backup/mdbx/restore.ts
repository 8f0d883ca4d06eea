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
import { pagesIn } from './free-pages.ts';
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

/** About twice so much may have to be fetched again after a crash. */
const CHECKPOINT = 64 * MiB;

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
 * Writes all pages that the layers hold, the newest of each, and the metas. The newest layer is read first: what newer ones
 * wrote is not read from older.
 * @param write is called again when it has resolved
 */
export async function writePages(
  { content, store, signal }: Pick<RestoreEnvironment, 'content' | 'store' | 'signal'>,
  meta: Meta,
  write: (bytes: Uint8Array, position: number) => Promise<void>,
  progress?: Pick<ResumableFile, 'done' | 'note' | 'checkpoint'>,
): Promise<void> {
  const { pageSize, firstUnallocated } = meta;
  // What older layers hold of them does not count: written from newer ones, or free.
  const done = new PageSet(firstUnallocated);
  // Of those the ones that hold something.
  const written = new PageSet(firstUnallocated);
  let writing = Promise.resolve();
  let syncing = Promise.resolve();
  let unnoted: string[] = [];
  let since = 0;
  // What is noted is all that came before, in an order that is the same each time.
  const note = async () => {
    if (progress === undefined) return;
    await writing;
    await syncing;
    for (const part of unnoted) progress.note(part);
    [unnoted, since] = [[], 0];
    // While the disk syncs more is fetched and written.
    syncing = handled(progress.checkpoint());
  };
  for (const ref of content.layers.toReversed()) {
    const { segments, free = [] } = await store.document(ref, layerSchema);
    // Within a layer a page may come again, and then counts: it is written again, in its turn.
    const mine = new PageSet(firstUnallocated);
    const left: Wanted<Segment>[] = [];
    for (const segment of segments) {
      const runs = segment.runs.map((run) => within(run, firstUnallocated));
      if (runs.every(([first, count]) => done.hasAll(first, count))) continue;
      // What an earlier attempt has written counts as written.
      if (progress?.done.has(partOf(segment.blob)) !== true) left.push({ blob: segment.blob, what: segment });
      else for (const [first, count] of runs) for (let page = first; page < first + count; page++) mine.add(page);
    }
    for await (const { what, bytes } of store.blobs(left)) {
      signal?.throwIfAborted();
      for (const { first, parts } of spans(what.runs, bytes, pageSize, { done, written, mine })) {
        await writing;
        const [part = bytes, ...more] = parts;
        writing = handled(write(more.length === 0 ? part : Buffer.concat(parts), first * pageSize));
      }
      unnoted.push(partOf(what.blob));
      since += bytes.length;
      if (since >= CHECKPOINT) await note();
    }
    written.addAll(mine);
    done.addAll(mine);
    for (const page of pagesIn(free.map((run) => within(run, firstUnallocated)))) done.add(page);
  }
  await writing;
  await syncing;
  await write(metaPages(meta), 0);
}

/** It is awaited in its turn; until then a failure must not count as unhandled. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

/** The part of a run below `end`: older layers may hold pages that are beyond it since the environment shrank. */
const within = ([first, count]: readonly [number, number], end: number): [number, number] => [
  first,
  Math.max(0, Math.min(count, end - first)),
];

/** Free pages between others are written as zeros, so many in a row, rather than around. */
const GAP_PAGES = 16;

interface Span {
  readonly first: number;
  end: number;
  readonly parts: Buffer[];
}

interface Places {
  readonly done: PageSet;
  readonly written: PageSet;
  /** Written from the present layer. */
  readonly mine: PageSet;
}

/** What a blob holds that newer layers did not write, as few and as long pieces of the file. */
function spans(
  runs: Segment['runs'],
  bytes: Buffer,
  pageSize: number,
  { done, written, mine }: Places,
): readonly Span[] {
  const found: Span[] = [];
  const zeros = Buffer.alloc(GAP_PAGES * pageSize);
  let span: Span | undefined;
  let at = 0;
  for (const run of runs) {
    const [first, count] = within(run, done.capacity);
    for (let page = first; page < first + count; ) {
      if (done.has(page)) {
        page += 1;
        continue;
      }
      let end = page;
      for (; end < first + count && !done.has(end); end++) mine.add(end);
      const gap = span === undefined ? -1 : page - span.end;
      if (span === undefined || gap < 0 || gap > GAP_PAGES || !isFree(span.end, page, written, mine)) {
        span = { first: page, end: page, parts: [] };
        found.push(span);
      } else if (gap > 0) span.parts.push(zeros.subarray(0, gap * pageSize));
      const from = at + (page - first) * pageSize;
      span.parts.push(bytes.subarray(from, from + (end - page) * pageSize));
      span.end = end;
      page = end;
    }
    at += run[1] * pageSize;
  }
  return found;
}

function isFree(first: number, end: number, written: PageSet, mine: PageSet): boolean {
  for (let page = first; page < end; page++) if (written.has(page) || mine.has(page)) return false;
  return true;
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
