import { join } from 'node:path';
import { RawFile } from '../../fs/raw-file.ts';
import { StoreError } from '../errors.ts';
import type { Index } from '../index/database.ts';
import { BLOCK, blocksIntact } from './block-sums.ts';
import { bodyKey, bodyPath, type FileBody } from './reference.ts';

/** An open body file. What is read from it is what was written, or an error: never other bytes. */
export class VerifiedFile {
  readonly body: FileBody;
  readonly #file: RawFile;
  /** Undefined: written by a version that kept none, so only its length can be checked. */
  readonly #sums: Buffer | undefined;

  private constructor(body: FileBody, file: RawFile, sums: Buffer | undefined) {
    this.body = body;
    this.#file = file;
    this.#sums = sums;
  }

  /** @throws system error `ENOENT` when it is gone */
  static async open(directory: string, index: Index, body: FileBody): Promise<VerifiedFile> {
    const sums = index.sums.get(bodyKey(body));
    return new VerifiedFile(body, await RawFile.openToRead(join(directory, bodyPath(body))), sums);
  }

  /** Bytes that a buffer needs to take `start` to `end` at once: sums are of whole blocks. */
  span(start: number, end: number): number {
    return Math.min(roundUp(end), this.body.size) - roundDown(start);
  }

  /**
   * Reads from `start` on, at most to `end` (exclusive), as much as the buffer holds: a block (64 KiB) or
   * the `span` at least.
   * @returns the part of the buffer that has the bytes; at least one
   * @throws StoreError `damaged`
   */
  async read(buffer: Buffer, start: number, end: number): Promise<Buffer> {
    const from = roundDown(start);
    const span = this.span(start, end);
    const length = span <= buffer.length ? span : roundDown(buffer.length);
    let filled = 0;
    while (filled < length) {
      const piece = filled === 0 ? buffer : buffer.subarray(filled);
      const bytes = await this.#file.read(piece, length - filled, from + filled);
      if (bytes === 0) throw this.#damaged('is shorter than the index says');
      filled += bytes;
    }
    const blocks = buffer.subarray(0, length);
    if (this.#sums !== undefined && !blocksIntact(this.#sums, from / BLOCK, blocks)) {
      throw this.#damaged('does not hold the bytes that were written');
    }
    return blocks.subarray(start - from, Math.min(end - from, length));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #damaged(what: string): StoreError {
    return new StoreError('damaged', `the body file ${bodyPath(this.body)} ${what}`, {
      advice: 'restore the object from a backup; bucketwright fsck names what else is damaged',
    });
  }
}

function roundDown(position: number): number {
  return position - (position % BLOCK);
}

function roundUp(position: number): number {
  return roundDown(position + BLOCK - 1);
}
