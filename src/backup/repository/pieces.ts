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
  for (let at = 0; at < pieces.length; ) {
    const first = pieces[at] ?? 0;
    const parts: Buffer[] = [];
    let end = first;
    for (; at < pieces.length && pieces[at] === end; at += 3) {
      const [from = 0, count = 0] = [pieces[at + 1], pieces[at + 2]];
      const zeros = from === ZEROS;
      parts.push(zeros ? Buffer.alloc(count * pageSize) : bytes.subarray(from * pageSize, (from + count) * pageSize));
      end += count;
    }
    writeAllSync(descriptor, parts, first * pageSize);
  }
}
