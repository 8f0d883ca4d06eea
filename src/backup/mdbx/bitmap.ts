/** One bit a page: 128 KiB for the million pages of a 4 GiB environment. */
export class PageSet {
  readonly #words: Uint8Array;
  #size = 0;

  constructor(pages: number) {
    this.#words = new Uint8Array(Math.ceil(pages / 8));
  }

  /** How many pages are in it. */
  get size(): number {
    return this.#size;
  }

  has(pgno: number): boolean {
    return ((this.#words[pgno >>> 3] ?? 0) & (1 << (pgno & 7))) !== 0;
  }

  /** @returns whether it was not in it before */
  add(pgno: number): boolean {
    if (this.has(pgno)) return false;
    const word = this.#words[pgno >>> 3];
    if (word === undefined) throw new RangeError(`page ${pgno} is beyond the set`);
    this.#words[pgno >>> 3] = word | (1 << (pgno & 7));
    this.#size += 1;
    return true;
  }

  delete(pgno: number): void {
    if (!this.has(pgno)) return;
    this.#words[pgno >>> 3] = (this.#words[pgno >>> 3] ?? 0) & ~(1 << (pgno & 7));
    this.#size -= 1;
  }

  /** Runs of neighbouring pages, ascending, at most `limit` long. */
  *runs(limit: number): Generator<{ readonly first: number; readonly count: number }> {
    const pages = this.#words.length * 8;
    for (let first = 0; first < pages; first++) {
      if ((first & 7) === 0 && this.#words[first >>> 3] === 0) {
        first += 7;
        continue;
      }
      if (!this.has(first)) continue;
      let count = 1;
      while (count < limit && this.has(first + count)) count += 1;
      yield { first, count };
      first += count - 1;
    }
  }
}
