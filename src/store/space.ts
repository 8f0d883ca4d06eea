import { MiB } from '../core/sizes.ts';
import { diskSpace } from '../fs/free-space.ts';
import { StoreError } from './errors.ts';

const FRESH_MS = 250;

/**
 * Stops taking new bytes while there is still room for the index to shrink: a delete needs to write some pages before it
 * frees any. Measured at most every 250 ms; the disk running full within that time is caught where it is written.
 */
export class SpaceGuard {
  readonly #directory: string;
  readonly #reserve: number;
  #free: number;
  #measured = 0;
  #measuring = false;

  private constructor(directory: string, reserve: number, free: number) {
    this.#directory = directory;
    this.#reserve = reserve;
    this.#free = free;
  }

  static async open(directory: string): Promise<SpaceGuard> {
    const { free, total } = await diskSpace(directory);
    return new SpaceGuard(directory, Math.min(64 * MiB, Math.max(4 * MiB, total / 20)), free);
  }

  /** @throws StoreError `disk-full` */
  assertRoom(bytes = 0): void {
    if (performance.now() - this.#measured > FRESH_MS && !this.#measuring) this.#measure().catch(() => undefined);
    if (this.#free - bytes < this.#reserve) {
      throw new StoreError('disk-full', 'the disk is full: nothing more can be written', {
        subject: this.#directory,
        advice: 'delete objects or give the data directory more room; writes resume by themselves',
      });
    }
  }

  /** Bytes that writes may still take, now. */
  async free(): Promise<number> {
    await this.#measure();
    return Math.max(0, this.#free - this.#reserve);
  }

  async #measure(): Promise<void> {
    this.#measuring = true;
    try {
      this.#free = (await diskSpace(this.#directory)).free;
      this.#measured = performance.now();
    } finally {
      this.#measuring = false;
    }
  }
}
