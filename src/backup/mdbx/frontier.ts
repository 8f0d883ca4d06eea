import type { Place } from './place.ts';

/** The page that refers to others: what they are held to. */
export interface Parent {
  readonly pgno: number;
  readonly txnid: number;
  readonly place: Place;
  /** Depth of the pages it refers to in their tree, the root's being 1. */
  readonly depth: number;
}

/** Pages to be visited, ascending, so that a disk reads them in one direction. */
export interface Batch {
  readonly length: number;
  pgno(index: number): number;
  parent(index: number): Parent;
  /** Bytes of the value that begins there; 0 for a page of a tree. */
  valueBytes(index: number): number;
}

/** Up to so many references fit beside a page number of 31 bits in a double's 53. */
const MOST = 2 ** 22;

/** Room for so many references is kept when none is left. */
const KEPT = 2 ** 16;

/** References that were found and not yet followed: 12 bytes each, whatever is below them. */
export class Frontier {
  #pgnos = new Uint32Array(1024);
  #sizes = new Uint32Array(1024);
  #parentOf = new Uint32Array(1024);
  #parents: Parent[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Parents are objects, and weigh more than references. */
  get parents(): number {
    return this.#parents.length;
  }

  add(pgno: number, valueBytes: number, parent: Parent): void {
    if (this.#length === this.#pgnos.length) {
      this.#pgnos = doubled(this.#pgnos);
      this.#sizes = doubled(this.#sizes);
      this.#parentOf = doubled(this.#parentOf);
    }
    if (this.#parents.at(-1) !== parent) this.#parents.push(parent);
    this.#pgnos[this.#length] = pgno;
    this.#sizes[this.#length] = valueBytes;
    this.#parentOf[this.#length] = this.#parents.length - 1;
    this.#length += 1;
  }

  /** Takes the `most` latest away. */
  take(most: number): Batch {
    const first = Math.max(0, this.#length - Math.min(most, MOST - 1));
    const length = this.#length - first;
    const keys = new Float64Array(length);
    for (let index = 0; index < length; index++) keys[index] = (this.#pgnos[first + index] ?? 0) * MOST + index;
    keys.sort();
    const pgnos = new Uint32Array(length);
    const sizes = new Uint32Array(length);
    const parentOf = new Uint32Array(length);
    const base = this.#parentOf[first] ?? 0;
    for (let index = 0; index < length; index++) {
      const from = first + ((keys[index] ?? 0) % MOST);
      pgnos[index] = this.#pgnos[from] ?? 0;
      sizes[index] = this.#sizes[from] ?? 0;
      parentOf[index] = (this.#parentOf[from] ?? 0) - base;
    }
    const parents = this.#parents.slice(base);
    // The parent of what stays may have some of what went, too.
    this.#parents.length = first === 0 ? 0 : (this.#parentOf[first - 1] ?? 0) + 1;
    this.#length = first;
    // What a large batch came in would be as large again beside it.
    if (first === 0 && this.#pgnos.length > KEPT) {
      this.#pgnos = new Uint32Array(1024);
      this.#sizes = new Uint32Array(1024);
      this.#parentOf = new Uint32Array(1024);
    }
    return {
      length,
      pgno: (index) => pgnos[index] ?? 0,
      parent: (index) => {
        const parent = parents[parentOf[index] ?? 0];
        if (parent === undefined) throw new RangeError(`no reference ${index} of ${length}`);
        return parent;
      },
      valueBytes: (index) => sizes[index] ?? 0,
    };
  }
}

function doubled(values: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(values.length * 2);
  larger.set(values);
  return larger;
}
