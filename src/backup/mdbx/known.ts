import type { PageHeader } from './layout.ts';

/** Passes that a byte can number, 0 being what the base has. */
export const MOST_PASSES = 250;

/**
 * Which pages need not be read again, and why that is sound.
 *
 * libmdbx writes a page once, in the transaction that its header names, and the page stays as it is until it is freed; used
 * again, it carries the number of a later transaction. So a page that the newest transaction reaches and that carries T has
 * been in use, unchanged, since T. If it was read by a pass that walked a transaction H ≥ T, it was in use all through that
 * pass: what was read is what it holds, and so it is with all that is below it, which the pass went on to read. The base is
 * such a pass, too.
 */
export class Known {
  /** Which pass read a page (the first of a value's); 0: none. */
  readonly #passes: Uint8Array;
  /** What referred to it then. */
  readonly #parents: Uint32Array;
  /** The transaction that each pass walked. */
  readonly #walked: number[];
  /** By the present pass: what is reached again must not count as read. */
  readonly #forgotten = new Set<number>();
  readonly capacity: number;

  /** @param since the base's transaction, or 0 */
  constructor(since: number, capacity: number) {
    this.capacity = capacity;
    this.#passes = new Uint8Array(capacity);
    this.#parents = new Uint32Array(capacity);
    this.#walked = [since];
  }

  /** The same, with room for more pages. */
  enlarged(capacity: number): Known {
    const larger = new Known(this.#walked[0] ?? 0, capacity);
    larger.#passes.set(this.#passes);
    larger.#parents.set(this.#parents);
    larger.#walked.push(...this.#walked.slice(1));
    return larger;
  }

  begin(txnid: number): void {
    this.#walked.push(txnid);
    this.#forgotten.clear();
  }

  /** The present pass was not finished: what it read is not enough to rely on. */
  discard(): void {
    this.#walked[this.#walked.length - 1] = this.#walked[0] ?? 0;
  }

  has(pgno: number, header: PageHeader): boolean {
    return header.txnid > 0 && header.txnid <= (this.#walked[this.#passes[pgno] ?? 0] ?? 0);
  }

  /** Whether the present pass read it. */
  read(pgno: number): boolean {
    return this.#passes[pgno] === this.#walked.length - 1;
  }

  /** @returns false where the present pass read it already: nothing in a tree is reached twice */
  add(pgno: number, parent: number): boolean {
    const pass = this.#walked.length - 1;
    if (this.read(pgno) || this.#forgotten.has(pgno)) return false;
    this.#passes[pgno] = pass;
    this.#parents[pgno] = parent;
    return true;
  }

  /** It was not read rightly: the next pass must come by again, on the whole way from the root. */
  forget(pgno: number, parent: number): void {
    for (let at = pgno, next = parent; ; ) {
      this.#passes[at] = 0;
      this.#forgotten.add(at);
      // On the way from the root all were read by this pass; what was forgotten was so with all above it.
      if (next === 0 || this.#passes[next] === 0) return;
      at = next;
      next = this.#parents[at] ?? 0;
    }
  }
}
