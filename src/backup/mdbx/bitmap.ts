/** One bit a page: 128 KiB for the million pages of a 4 GiB environment. */
export class PageSet {
  readonly #words: Uint8Array;

  constructor(pages: number) {
    this.#words = new Uint8Array(Math.ceil(pages / 8));
  }

  has(pgno: number): boolean {
    return ((this.#words[pgno >>> 3] ?? 0) & (1 << (pgno & 7))) !== 0;
  }

  /** Whether all of `count` pages from `first` on are in it. */
  hasAll(first: number, count: number): boolean {
    for (let page = first; page < first + count; page++) if (!this.has(page)) return false;
    return true;
  }

  /** @returns whether it was not in it before */
  add(pgno: number): boolean {
    if (this.has(pgno)) return false;
    const word = this.#words[pgno >>> 3];
    if (word === undefined) throw new RangeError(`page ${pgno} is beyond the set`);
    this.#words[pgno >>> 3] = word | (1 << (pgno & 7));
    return true;
  }
}
