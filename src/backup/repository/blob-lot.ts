import { handled } from '../../core/ahead.ts';
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

/** Writes lots in the order in which they come. */
export class LotWriter {
  readonly #master: Buffer;
  #last: Promise<void> = Promise.resolve();

  constructor(master: Buffer) {
    this.#master = master;
  }

  /** Opens its blobs and writes their pieces; one is opened while the one before is written. */
  write(lot: BlobLot): Promise<void> {
    const written = this.#write(lot, this.#last);
    this.#last = written.catch(() => undefined);
    return written;
  }

  /** Resolves when all that were given are through. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #write({ file, bytes, blobs }: BlobLot, before: Promise<void>): Promise<void> {
    const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const open = (index: number): Promise<Buffer> | undefined => {
      const blob = blobs[index];
      if (blob === undefined) return undefined;
      const { facts, offset, length, subject } = blob;
      return handled(openBlob(this.#master, facts, sealed.subarray(offset, offset + length), subject));
    };
    let next = open(0);
    await before;
    for (const [index, { pieces }] of blobs.entries()) {
      const plain = await next;
      next = open(index + 1);
      if (plain !== undefined) writePieces(file, plain, pieces);
    }
  }
}
