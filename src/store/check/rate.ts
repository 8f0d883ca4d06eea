import { setTimeout as sleep } from 'node:timers/promises';

/** Holds work to so many bytes a second, with no bursts after a pause. */
export class Rate {
  readonly #bytesPerSecond: number;
  #next = 0;

  /** @param bytesPerSecond undefined: as fast as it goes */
  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerSecond = bytesPerSecond ?? Number.POSITIVE_INFINITY;
  }

  /** Before that many bytes are read. */
  async take(bytes: number): Promise<void> {
    const now = performance.now();
    const wait = this.#next - now;
    this.#next = Math.max(now, this.#next) + (bytes / this.#bytesPerSecond) * 1000;
    if (wait > 1) await sleep(wait);
  }
}
