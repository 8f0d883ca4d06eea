import { setImmediate } from 'node:timers/promises';
import { BackupError } from '../errors.ts';
import type { DataFile } from './data-file.ts';
import { freeInRecord, freeOnLeaf } from './free-pages.ts';
import { type Batch, Frontier, type Parent } from './frontier.ts';
import { HEADER_BYTES, META_PAGES, type Meta, NO_PAGE, type PageHeader, pageFlag, readHeader } from './layout.ts';
import { broken, readPage } from './page.ts';
import { Place } from './place.ts';

/** What a walk finds is told to this. */
export interface Visitor {
  /**
   * Whether most pages are known, so that reading the header first is less than reading all. Each page's header is asked
   * for by `enter` either way.
   */
  readonly sparse: boolean;
  /** Whether pages without a transaction number (libmdbx before 0.10 wrote such) are refused: nothing vouches for them. */
  readonly numbered: boolean;
  /** Whether to read on: false for a page that is known, with all that is below it. */
  enter(pgno: number, header: PageHeader, parent: number): boolean;
  /** Pages from `first` on, checked; the bytes are the walk's own and change afterwards. */
  pages(first: number, bytes: Buffer): Promise<void> | undefined;
  /** Pages that a page of the free pages' tree, which was read on, lists; they are as they were found. */
  free?(pages: readonly number[]): void;
  /**
   * A page that contradicts itself or what refers to it. It is left out where this returns.
   * @throws the error, where it is damage
   */
  broken(error: BackupError, pgno: number, parent: number): void;
}

/** A visitor that looks at everything and bears nothing. */
export const strict: Visitor = {
  sparse: false,
  numbered: false,
  enter: () => true,
  pages: () => undefined,
  broken: (error) => {
    throw error;
  },
};

/** Bytes read at once, and free bytes between pages that are read over rather than around. */
const CHUNK = 1 << 20;
const GAP = 1 << 14;
/** Headers that are looked at between two looks at whether to stop. */
const AT_ONCE = 4096;
/**
 * References that may wait; 12 bytes each, and 20 more while they are sorted. More leaves at once are read in fewer passes over
 * the file, 8 GiB of 4 KiB pages in one. Of two passes each leaves gaps to the other, and what is stored is runs of single
 * pages: 4 GiB so took 90 MiB more to restore, and half as long again.
 */
const LEAVES = 1 << 21;
const PARENTS = 1 << 16;
const BRANCHES = 1024;

/**
 * Walks all trees of one transaction: free pages' tree, main tree, named trees, duplicates. Holds every page to the
 * format: page number, kind, bounds, order of keys, reached once, and a transaction number not newer than that of the page
 * above it, which is what copy-on-write guarantees; and each tree that was walked whole to the counts of its record.
 *
 * Branch pages are few and are followed first; then leaf pages and large values are read in the order of the file.
 * @throws BackupError `structure`; `method` where pages carry no transaction number
 */
export async function walk(file: DataFile, meta: Meta, visitor: Visitor, signal?: AbortSignal): Promise<void> {
  await new Walk(file, meta, visitor, signal).run();
}

class Walk {
  readonly #file: DataFile;
  readonly #meta: Meta;
  readonly #visitor: Visitor;
  readonly #signal: AbortSignal | undefined;
  readonly #chunk: Buffer;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #branches = new Frontier();
  readonly #leaves = new Frontier();
  readonly #freePages: Place;
  /** Bytes since others were last let in. */
  #since = 0;

  constructor(file: DataFile, meta: Meta, visitor: Visitor, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#meta = meta;
    this.#visitor = visitor;
    this.#signal = signal;
    this.#freePages = new Place(meta.gc, false, 'free pages', 0);
    // A small environment needs no large one.
    this.#chunk = Buffer.allocUnsafe(Math.max(meta.pageSize, Math.min(CHUNK, meta.firstUnallocated * meta.pageSize)));
  }

  async run(): Promise<void> {
    const { main, txnid } = this.#meta;
    this.#open(this.#freePages, 0, txnid);
    this.#open(new Place(main, false, 'main', 0), 0, txnid);
    // Batches of leaves that were begun; all but the last are put aside for what they led to.
    const begun: { readonly batch: Batch; next: number }[] = [];
    for (;;) {
      const full = this.#full();
      const last = begun.at(-1);
      if (this.#branches.length > 0 && !full) {
        const batch = this.#branches.take(BRANCHES);
        await this.#follow(batch, 0, () => false);
      } else if (last === undefined || full) {
        if (this.#leaves.length === 0) return;
        begun.push({ batch: this.#leaves.take(LEAVES), next: 0 });
      } else {
        last.next = await this.#follow(last.batch, last.next, () => this.#full() || this.#branches.length > BRANCHES);
        if (last.next === last.batch.length) begun.pop();
      }
    }
  }

  #full(): boolean {
    return this.#leaves.length >= LEAVES || this.#leaves.parents >= PARENTS;
  }

  #open(place: Place, pgno: number, txnid: number): void {
    if (place.tree.root !== NO_PAGE) this.#expect(place.tree.root, 0, { pgno, txnid, place, depth: 1 });
  }

  #expect(pgno: number, valueBytes: number, parent: Parent): void {
    const { place, depth } = parent;
    place.expect();
    if (valueBytes > 0 || depth >= place.tree.height) this.#leaves.add(pgno, valueBytes, parent);
    else this.#branches.add(pgno, 0, parent);
  }

  /** @returns the first of the batch that was not visited yet, where `enough` ended it */
  async #follow(batch: Batch, from: number, enough: () => boolean): Promise<number> {
    const gap = this.#visitor.sparse ? 0 : GAP;
    for (let next = from; next < batch.length; ) {
      if (enough()) return next;
      // So many that their pages and gaps fit into one chunk.
      const group: number[] = [];
      let [first, end] = [0, 0];
      for (let looked = 0; next < batch.length && looked < AT_ONCE; next++, looked++) {
        if (!this.#place(batch, next)) continue;
        const pgno = batch.pgno(next);
        const to = pgno + this.#pagesOf(batch, next);
        const { pageSize } = this.#meta;
        const fits = (pgno - end) * pageSize <= gap && (to - first) * pageSize <= CHUNK;
        if (group.length > 0 && !fits) break;
        this.#since += HEADER_BYTES;
        if (this.#visitor.sparse && !this.#entered(batch, next)) continue;
        if (group.length === 0) first = pgno;
        end = Math.max(end, to);
        group.push(next);
      }
      await this.#visit(batch, group, first, end);
      this.#since += (end - first) * this.#meta.pageSize;
      if (this.#since > CHUNK) {
        this.#since = 0;
        this.#signal?.throwIfAborted();
        await setImmediate();
      }
    }
    return batch.length;
  }

  #pagesOf(batch: Batch, index: number): number {
    const bytes = batch.valueBytes(index);
    return bytes === 0 ? 1 : Math.ceil((HEADER_BYTES + bytes) / this.#meta.pageSize);
  }

  #place(batch: Batch, index: number): boolean {
    const pgno = batch.pgno(index);
    if (pgno >= META_PAGES && pgno + this.#pagesOf(batch, index) <= this.#meta.firstUnallocated) return true;
    this.#leaveOut(batch, index, broken(pgno, 'lies outside of what is in use'));
    return false;
  }

  /** Whether to read all of a page, by its header alone. */
  #entered(batch: Batch, index: number): boolean {
    const pgno = batch.pgno(index);
    try {
      this.#file.read(this.#header, pgno * this.#meta.pageSize, pgno);
      return this.#enter(batch, index, readHeader(this.#header));
    } catch (error) {
      this.#leaveOut(batch, index, error);
      return false;
    }
  }

  #enter(batch: Batch, index: number, header: PageHeader): boolean {
    const { txnid, pgno, place } = batch.parent(index);
    this.#checkHeader(header, batch.pgno(index), txnid);
    if (this.#visitor.enter(header.pgno, header, pgno)) return true;
    place.leaveOut();
    place.visited();
    return false;
  }

  #checkHeader(header: PageHeader, pgno: number, limit: number): void {
    if (header.pgno !== pgno) throw broken(pgno, `calls itself page ${header.pgno}`);
    if (header.txnid === 0 && this.#visitor.numbered) {
      throw new BackupError('method', `page ${pgno} carries no transaction number: it was written by an old libmdbx`, {
        subject: `page ${pgno}`,
        advice: 'use --method mdbx_copy, or --method offline with the environment closed',
      });
    }
    if (header.txnid > limit) throw broken(pgno, `is of transaction ${header.txnid}, newer than ${limit} above it`);
  }

  #leaveOut(batch: Batch, index: number, error: unknown): void {
    if (!isBroken(error)) throw error;
    const { pgno, place } = batch.parent(index);
    this.#visitor.broken(error, batch.pgno(index), pgno);
    place.leaveOut();
    place.visited();
  }

  async #visit(batch: Batch, group: readonly number[], first: number, end: number): Promise<void> {
    const [only] = group;
    if (only === undefined) return;
    const { pageSize } = this.#meta;
    const bytes = (end - first) * pageSize;
    if (bytes > this.#chunk.length) return this.#visitLong(batch, only);
    const chunk = this.#chunk.subarray(0, bytes);
    let there: number;
    try {
      there = this.#file.readUpTo(chunk, first * pageSize);
    } catch (error) {
      // One page that cannot be read, maybe one that nothing needs, must not hide which.
      if (group.length === 1) throw error;
      for (const index of group) {
        const pgno = batch.pgno(index);
        await this.#visit(batch, [index], pgno, pgno + this.#pagesOf(batch, index));
      }
      return;
    }
    let [from, to] = [0, 0];
    for (const index of group) {
      const at = (batch.pgno(index) - first) * pageSize;
      const after = at + this.#pagesOf(batch, index) * pageSize;
      if (!this.#checked(batch, index, chunk.subarray(at, after), after <= there)) continue;
      if (at !== to) {
        if (to > from) await this.#visitor.pages(first + from / pageSize, chunk.subarray(from, to));
        from = at;
      }
      to = after;
    }
    if (to > from) await this.#visitor.pages(first + from / pageSize, chunk.subarray(from, to));
  }

  /** A value that is larger than what is read at once. */
  async #visitLong(batch: Batch, index: number): Promise<void> {
    const { pageSize } = this.#meta;
    const pgno = batch.pgno(index);
    const total = this.#pagesOf(batch, index) * pageSize;
    for (let offset = 0; offset < total; offset += this.#chunk.length) {
      const part = this.#chunk.subarray(0, Math.min(this.#chunk.length, total - offset));
      const whole = this.#file.readUpTo(part, pgno * pageSize + offset) === part.length;
      if (offset === 0 && !this.#checked(batch, index, part, whole)) return;
      // Its first part was counted as visited: what is missing now can only be thrown.
      if (!whole) throw broken(pgno, 'lies beyond the end of the file');
      await this.#visitor.pages(pgno + offset / pageSize, part);
      this.#signal?.throwIfAborted();
    }
  }

  /** Checks a page, or the first of a value's, and notes what it refers to. @returns whether to keep it */
  #checked(batch: Batch, index: number, bytes: Buffer, whole: boolean): boolean {
    const pgno = batch.pgno(index);
    const parent = batch.parent(index);
    const { place, depth } = parent;
    try {
      if (!whole) throw broken(pgno, 'lies beyond the end of the file');
      const header = readHeader(bytes);
      // The header may have changed since it was looked at.
      if (this.#visitor.sparse) this.#checkHeader(header, pgno, parent.txnid);
      else if (!this.#enter(batch, index, header)) return false;
      if (batch.valueBytes(index) > 0) {
        const pages = this.#pagesOf(batch, index);
        if (header.flags !== pageFlag.large) throw broken(pgno, `is of the kind ${header.flags}, not of a large value`);
        if (header.pages < pages) throw broken(pgno, `holds ${header.pages} pages, its value needs ${pages}`);
        place.countLarge(header.pages);
        if (place === this.#freePages) this.#visitor.free?.(freeInRecord(partOf(bytes, batch.valueBytes(index))));
      } else {
        const kind = this.#readTreePage(bytes, pgno, header.txnid === 0 ? parent.txnid : header.txnid, place, depth);
        if (kind === 'leaf' && place === this.#freePages) this.#visitor.free?.(freeOnLeaf(bytes));
      }
      place.visited();
      return true;
    } catch (error) {
      this.#leaveOut(batch, index, error);
      return false;
    }
  }

  #readTreePage(bytes: Buffer, pgno: number, txnid: number, place: Place, depth: number): 'branch' | 'leaf' {
    const { height } = place.tree;
    if (depth > height) throw broken(pgno, `the tree ${place.name} is higher than its record says`);
    const { kind, items, references } = readPage(bytes, pgno, place.tree, place.nested);
    if ((kind === 'leaf') !== (depth === height)) {
      throw broken(pgno, `a ${kind} at depth ${depth} of the ${height} of ${place.name}`);
    }
    // All of it first, so that nothing is followed of a page that is refused.
    for (const reference of references) {
      if (reference.kind === 'tree' && (place.nested || place.level > (reference.nested ? 1 : 0))) {
        throw broken(pgno, `a tree within ${place.name}, where none can be`);
      }
    }
    place.count(kind, items);
    let parent: Parent | undefined;
    for (const reference of references) {
      if (reference.kind === 'tree') {
        const { tree, nested, name } = reference;
        this.#open(new Place(tree, nested, name, place.level + 1, nested ? place : undefined), pgno, txnid);
        continue;
      }
      parent ??= { pgno, txnid, place, depth: depth + 1 };
      this.#expect(reference.pgno, reference.kind === 'large' ? reference.bytes : 0, parent);
    }
    return kind;
  }
}

/** What was read of a large value. */
const partOf = (pages: Buffer, bytes: number): Buffer => pages.subarray(HEADER_BYTES, HEADER_BYTES + bytes);

/** Whether an error tells of what a page holds: it may be in the middle of being written. */
export const isBroken = (error: unknown): error is BackupError =>
  error instanceof BackupError && (error.code === 'structure' || error.code === 'method');
