import { writeAllSync } from '../../fs/write-all.ts';

/** In the place of a page of the blob: these pages of the file are zeros. */
export const ZEROS = 0xffff_ffff;

/**
 * Which pages of a blob go where: triples of first page in the file, first page in the blob (or `ZEROS`), and how many.
 * Numbers in one array, since an environment may have millions.
 */
export type Pieces = Uint32Array;

/** A file of pages that is being made, for threads of this process. */
export interface PageFile {
  readonly descriptor: number;
  /** Bytes. */
  readonly pageSize: number;
}

/**
 * Writes pieces of a blob, neighbours of the file in one call.
 * @throws the system's error
 */
export function writePieces({ descriptor, pageSize }: PageFile, bytes: Buffer, pieces: Pieces): void {
  let [first, end] = [0, 0];
  let parts: Buffer[] = [];
  for (let at = 0; at < pieces.length; at += 3) {
    const [page = 0, from = 0, count = 0] = pieces.subarray(at, at + 3);
    if (page !== end && parts.length > 0) {
      writeAllSync(descriptor, parts, first * pageSize);
      parts = [];
    }
    if (parts.length === 0) first = page;
    end = page + count;
    const part =
      from === ZEROS ? Buffer.alloc(count * pageSize) : bytes.subarray(from * pageSize, (from + count) * pageSize);
    parts.push(part);
  }
  if (parts.length > 0) writeAllSync(descriptor, parts, first * pageSize);
}
