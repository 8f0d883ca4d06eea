import { openBlob, type SealedFacts } from './blob.ts';
import { type PageFile, type Pieces, writePieces } from './pieces.ts';

/** Blobs that lie in one piece of a pack. */
export interface BlobLot {
  readonly file: PageFile;
  readonly bytes: Uint8Array;
  readonly blobs: readonly {
    readonly facts: SealedFacts;
    /** Where it lies in the bytes. */
    readonly offset: number;
    readonly length: number;
    readonly subject: string;
    readonly pieces: Pieces;
  }[];
}

/** Opens the blobs of a lot and writes their pieces; one is opened while the one before is written. */
export async function writeLot(master: Buffer, { file, bytes, blobs }: BlobLot): Promise<void> {
  const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open = (index: number): Promise<Buffer> | undefined => {
    const blob = blobs[index];
    if (blob === undefined) return undefined;
    const opened = openBlob(master, blob.facts, sealed.subarray(blob.offset, blob.offset + blob.length), blob.subject);
    // It is awaited in its turn; until then a failure must not count as unhandled.
    opened.catch(() => undefined);
    return opened;
  };
  let next = open(0);
  for (const [index, { pieces }] of blobs.entries()) {
    const plain = await next;
    next = open(index + 1);
    if (plain !== undefined) writePieces(file, plain, pieces);
  }
}
