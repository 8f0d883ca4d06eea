import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MiB } from '../../core/sizes.ts';
import { type ResumableFile, resumeFile } from '../../fs/resumable-file.ts';
import { BackupError } from '../errors.ts';
import type { BlobRef, MdbxContent } from '../repository/model.ts';
import { changed } from '../repository/sealed.ts';
import type { BlobStore } from '../source/port.ts';
import { metaPages } from './assemble.ts';
import { DataFile } from './data-file.ts';
import { type Meta, readMeta } from './layout.ts';
import { placedPages } from './placed-pages.ts';
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
    await writePages(options, meta, file);
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

/** Writes all pages that the layers hold, the newest of each, and the metas; what an earlier attempt wrote is not fetched. */
async function writePages(
  { content, store, signal }: RestoreEnvironment,
  meta: Meta,
  file: ResumableFile,
): Promise<void> {
  const { firstUnallocated: end, pageSize } = meta;
  const isDone = (blob: BlobRef) => file.done.has(partOf(blob));
  const placed = await placedPages({ store, layers: content.layers, end, pageSize, isDone });
  let syncing = Promise.resolve();
  let since = 0;
  try {
    for await (const written of store.write(placed, { descriptor: file.descriptor, pageSize })) {
      signal?.throwIfAborted();
      for (const { blob } of written) {
        file.note(partOf(blob));
        since += blob.raw;
      }
      if (since < CHECKPOINT) continue;
      await syncing;
      since = 0;
      // While the disk syncs more is fetched and written.
      syncing = file.checkpoint();
      syncing.catch(() => undefined);
    }
  } finally {
    await syncing;
  }
  await file.write(metaPages(meta), 0);
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
