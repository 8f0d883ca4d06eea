import { MiB } from '../core/sizes.ts';
import { diskSpace } from '../fs/free-space.ts';
import { StoreError } from './errors.ts';
import { freeInIndex, type Index } from './index/database.ts';

const FRESH_MS = 100;

/**
 * Stops taking new bytes while there is still room for the index to shrink: a delete needs to write some pages before it
 * frees any. Measured at most every 100 ms, and what was admitted since is counted; a disk that another program fills
 * within that time is noticed where it is written.
 */
export class SpaceGuard {
  readonly #directory: string;
  readonly #index: Index;
  readonly #reserve: number;
  #free = 0;
  #freeInIndex = 0;
  #measured = Number.NEGATIVE_INFINITY;

  constructor(directory: string, index: Index) {
    this.#directory = directory;
    this.#index = index;
    this.#reserve = Math.min(64 * MiB, Math.max(4 * MiB, diskSpace(directory).total / 20));
  }

  /**
   * @param kind whether the bytes go to a file or into the index, which has room of its own where objects were deleted
   * @throws StoreError `disk-full`
   */
  assertRoom(bytes: number, kind: 'file' | 'index'): void {
    if (performance.now() - this.#measured > FRESH_MS) this.#measure();
    const free = kind === 'file' ? this.#free : Math.max(this.#free, this.#freeInIndex);
    if (free - bytes < this.#reserve) {
      throw new StoreError('disk-full', 'the disk is full: nothing more can be written', {
        subject: this.#directory,
        advice: 'delete objects or give the data directory more room; writes resume by themselves',
      });
    }
    if (kind === 'index') this.#freeInIndex -= bytes;
    this.#free -= bytes;
  }

  /** Bytes that new files may still take, now. */
  free(): number {
    this.#measure();
    return Math.max(0, this.#free - this.#reserve);
  }

  #measure(): void {
    this.#free = diskSpace(this.#directory).free;
    this.#freeInIndex = this.#free + freeInIndex(this.#index);
    this.#measured = performance.now();
  }
}
