import { crc32c } from '../../checksum/index.ts';
import { KiB } from '../../core/sizes.ts';

/**
 * What proves, on every read, that a body is as it was written: a CRC32C of each 64 KiB of a body file, kept in the index,
 * so that a range is checked without reading the whole body (docs/decisions/0130-verified-reads.md).
 *
 *   0 version  1 block size (log2)  2-3 zero  4 one u32 (little-endian) a block; the last block may be shorter
 */
export const BLOCK = 64 * KiB;

const VERSION = 1;
const BLOCK_LOG2 = 16;
const HEAD = 4;

/** The sums of a body as it passes by. */
export class BlockSums {
  readonly #finished: number[] = [];
  #crc = 0;
  #inBlock = 0;

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + BLOCK - this.#inBlock);
      this.#crc = crc32c(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end), this.#crc);
      this.#inBlock += end - at;
      at = end;
      if (this.#inBlock === BLOCK) this.#next();
    }
  }

  /** The index's value for a body file. */
  finish(): Buffer {
    if (this.#inBlock > 0) this.#next();
    const value = Buffer.alloc(HEAD + 4 * this.#finished.length);
    value[0] = VERSION;
    value[1] = BLOCK_LOG2;
    this.#finished.forEach((crc, block) => {
      value.writeUInt32LE(crc, HEAD + 4 * block);
    });
    return value;
  }

  #next(): void {
    this.#finished.push(this.#crc);
    this.#crc = 0;
    this.#inBlock = 0;
  }
}

/**
 * Whether `bytes`, which begin at block number `first` of the body, are what was written. They hold whole blocks, save
 * for the body's last one.
 * @param sums what `BlockSums.finish` answered
 */
export function blocksIntact(sums: Buffer, first: number, bytes: Buffer): boolean {
  if (sums[0] !== VERSION || sums[1] !== BLOCK_LOG2) return false;
  for (let at = 0, entry = HEAD + 4 * first; at < bytes.length; at += BLOCK, entry += 4) {
    if (entry + 4 > sums.length) return false;
    if (crc32c(bytes.subarray(at, at + BLOCK), 0) !== sums.readUInt32LE(entry)) return false;
  }
  return true;
}

/** Whether there is a sum for every block of a body of `size` bytes. */
export function sumsCover(sums: Buffer, size: number): boolean {
  return sums[0] === VERSION && sums[1] === BLOCK_LOG2 && sums.length === HEAD + 4 * Math.ceil(size / BLOCK);
}
