import { KiB } from '../../core/sizes.ts';

const SIZE = 512 * KiB;
const COUNT = 96;
const PLAIN = 64 * KiB;

/**
 * Buffers that bodies pass through on their way to clients, used again and again: fresh ones cost more in garbage
 * collection than the copying itself (docs/decisions/0004-file-calls.md). When all are lent, readers get small ones of
 * their own, so that slow clients never keep others waiting.
 */
export class ReadBuffers {
  readonly #most: number;
  readonly #free: Buffer[] = [];
  #made = 0;

  /** @param processes how many share the memory that these may take */
  constructor(processes: number) {
    this.#most = Math.ceil(COUNT / processes);
  }

  /** Runs `use` with a buffer that is its own until the promise settles. */
  async with<T>(use: (buffer: Buffer) => Promise<T>): Promise<T> {
    const buffer = this.#take();
    if (buffer === undefined) return use(Buffer.allocUnsafeSlow(PLAIN));
    try {
      return await use(buffer);
    } finally {
      this.#free.push(buffer);
    }
  }

  #take(): Buffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#made === this.#most) return free;
    this.#made += 1;
    return Buffer.allocUnsafeSlow(SIZE);
  }
}
