import type { Pages } from '../mdbx/dump.ts';
import { metaOf } from '../mdbx/restore.ts';
import { type BlobRef, layerSchema, type MdbxContent } from '../repository/model.ts';
import { changed } from '../repository/sealed.ts';
import type { BlobStore } from '../source/port.ts';

/** Blobs that are kept for the next page: about 1 MiB each. */
const KEPT = 32;

interface Piece {
  readonly first: number;
  readonly blob: BlobRef;
  /** Where its first page begins in the blob, unpacked. */
  readonly at: number;
}

/**
 * Pages of a snapshot, fetched from the repository as they are asked for, each in the newest form that the layers hold.
 * Takes four bytes a page.
 * @throws BackupError `damaged`
 */
export async function snapshotPages(store: BlobStore, content: MdbxContent): Promise<Pages> {
  const { pageSize, firstUnallocated } = metaOf(content);
  // Which piece holds a page: one more than its index, 0 where none does.
  const owner = new Uint32Array(firstUnallocated);
  const pieces: Piece[] = [];
  for (const ref of content.layers) {
    const { segments } = await store.document(ref, layerSchema);
    for (const { runs, blob } of segments) {
      let at = 0;
      for (const [first, count] of runs) {
        pieces.push({ first, blob, at });
        owner.fill(pieces.length, first, first + count);
        at += count * pageSize;
      }
    }
  }
  const kept = new Map<string, Promise<Buffer>>();
  const fetch = (blob: BlobRef): Promise<Buffer> => {
    const name = `${blob.pack}:${blob.offset}`;
    const known = kept.get(name) ?? one(store, blob);
    // The one that was used longest ago goes first.
    kept.delete(name);
    kept.set(name, known);
    const [oldest] = kept.keys();
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    return known;
  };
  const page = async (pgno: number): Promise<Buffer> => {
    const piece = pieces[(owner[pgno] ?? 0) - 1];
    if (piece === undefined) throw changed(`page ${pgno}`, 'no layer holds it');
    const from = piece.at + (pgno - piece.first) * pageSize;
    return (await fetch(piece.blob)).subarray(from, from + pageSize);
  };
  return {
    async read(first, count) {
      const parts: Buffer[] = [];
      for (let pgno = first; pgno < first + count; pgno++) parts.push(await page(pgno));
      return Buffer.concat(parts);
    },
  };
}

async function one(store: BlobStore, blob: BlobRef): Promise<Buffer> {
  for await (const { bytes } of store.blobs([{ blob, what: undefined }])) return bytes;
  throw changed(blob.pack, 'it is missing');
}
