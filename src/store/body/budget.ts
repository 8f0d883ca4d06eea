/**
 * Bounds what all uploads together hold in memory on their way to the disk. Bytes are taken only when they are there and
 * held only until they are written: a client that stalls holds none.
 */
export class Budget {
  #left: number;
  readonly #waiting: { readonly bytes: number; resume(): void }[] = [];

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** First come, first served. One request may not exceed the whole budget. */
  take(bytes: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#left >= bytes) {
      this.#left -= bytes;
      return undefined;
    }
    return new Promise((resume) => this.#waiting.push({ bytes, resume }));
  }

  give(bytes: number): void {
    this.#left += bytes;
    for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#left; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#left -= next.bytes;
      next.resume();
    }
  }
}
