/** One bit a page: 128 KiB for the million pages of a 4 GiB environment. */
export class PageSet {
  readonly #words: Uint8Array;
  readonly capacity: number;

  /** @param capacity page numbers are below it */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Uint8Array(Math.ceil(capacity / 8));
  }

  has(pgno: number): boolean {
    return ((this.#words[pgno >>> 3] ?? 0) & (1 << (pgno & 7))) !== 0;
  }

  /** @returns whether it was not in it before */
  add(pgno: number): boolean {
    if (this.has(pgno)) return false;
    if (pgno < 0 || pgno >= this.capacity) throw new RangeError(`page ${pgno} is beyond the set`);
    this.#words[pgno >>> 3] = (this.#words[pgno >>> 3] ?? 0) | (1 << (pgno & 7));
    return true;
  }
}
