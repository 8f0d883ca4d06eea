import { setImmediate } from 'node:timers/promises';
import { BackupError } from '../errors.ts';
import type { DataFile } from './data-file.ts';
import {
  HEADER_BYTES,
  META_PAGES,
  type Meta,
  NO_PAGE,
  type PageHeader,
  pageFlag,
  readHeader,
  type Tree,
} from './layout.ts';
import { broken, type Reference, readPage } from './page.ts';

/** What a walk finds is told to this. */
export interface Visitor {
  /** Whether to read on below: false for a page that is known, with all that is below it. */
  enter(pgno: number, header: PageHeader): boolean;
  page(pgno: number, bytes: Buffer): void;
  /** A run of pages that holds one value; `bytes` is reused by the next one. */
  run(pgno: number, part: Buffer, offset: number, pages: number): void;
  /** All below it was told. */
  leave(pgno: number): void;
}

export interface WalkCounts {
  /** Pages read, those of runs included. */
  pages: number;
  items: number;
}

interface Frame {
  readonly pgno: number;
  readonly txnid: number;
  readonly depth: number;
  readonly references: readonly Reference[];
  readonly place: Place;
  next: number;
}

/** A tree under way. */
interface Place {
  readonly tree: Tree;
  readonly nested: boolean;
  readonly name: string;
  /** 0 main and free pages, 1 named trees, 2 duplicates: deeper is damage, and without a limit could be a circle. */
  readonly level: number;
  /** The tree whose record counts this one's pages, too: that of the keys that have these duplicates. */
  readonly within: Place | undefined;
  branches: number;
  leaves: number;
  large: number;
  items: number;
  /** Whether nothing was left out, so that the counts must be those of the tree's record. */
  whole: boolean;
}

const RUN_PART = 1 << 20;

/**
 * Walks all trees of one transaction: free pages' tree, main tree, named trees, duplicates. Holds every page to the
 * format: page number, kind, bounds, order of keys, and a transaction number not newer than that of the page above it,
 * which is what copy-on-write guarantees; and each tree that was walked whole to the counts of its record.
 * @throws BackupError `structure`; `method` where pages carry no transaction number
 */
export async function walk(file: DataFile, meta: Meta, visitor: Visitor, signal?: AbortSignal): Promise<WalkCounts> {
  const counts: WalkCounts = { pages: 0, items: 0 };
  for (const [name, tree] of [['free pages', meta.gc] as const, ['main', meta.main] as const]) {
    await walkTree(file, meta, begin(tree, false, name, 0), visitor, counts, signal);
  }
  return counts;
}

const begin = (tree: Tree, nested: boolean, name: string, level: number, within?: Place): Place => ({
  tree,
  nested,
  name,
  level,
  within,
  branches: 0,
  leaves: 0,
  large: 0,
  items: 0,
  whole: true,
});

async function walkTree(
  file: DataFile,
  meta: Meta,
  root: Place,
  visitor: Visitor,
  counts: WalkCounts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stack: Frame[] = [];
  let since = 0;
  const push = (pgno: number, limit: number, depth: number, place: Place) => {
    const frame = enterPage(file, meta, pgno, limit, depth, place, visitor, counts);
    if (frame !== undefined) stack.push(frame);
    else {
      place.whole = false;
      if (place.within !== undefined) place.within.whole = false;
    }
  };
  const open = (place: Place, limit: number) => {
    if (place.tree.root === NO_PAGE) return;
    push(place.tree.root, limit, 1, place);
  };
  open(root, meta.txnid);
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const reference = frame.references[frame.next];
    frame.next += 1;
    if (reference === undefined) {
      stack.pop();
      visitor.leave(frame.pgno);
      if (frame.depth === 1) finish(frame.place, frame.pgno);
      continue;
    }
    switch (reference.kind) {
      case 'child':
        push(reference.pgno, frame.txnid, frame.depth + 1, frame.place);
        break;
      case 'large':
        frame.place.large += readRun(file, meta, reference, frame.txnid, visitor, counts);
        break;
      case 'tree':
        if (frame.place.nested || frame.place.level > (reference.nested ? 1 : 0)) {
          throw broken(frame.pgno, `a tree within ${frame.place.name}, where none can be`);
        }
        open(
          begin(
            reference.tree,
            reference.nested,
            reference.name,
            frame.place.level + 1,
            reference.nested ? frame.place : undefined,
          ),
          frame.txnid,
        );
        break;
    }
    if (counts.pages - since > 256) {
      since = counts.pages;
      signal?.throwIfAborted();
      await setImmediate();
    }
  }
}

function enterPage(
  file: DataFile,
  meta: Meta,
  pgno: number,
  limit: number,
  depth: number,
  place: Place,
  visitor: Visitor,
  counts: WalkCounts,
): Frame | undefined {
  checkPlace(pgno, 1, meta);
  const bytes = file.read(Buffer.allocUnsafe(meta.pageSize), pgno * meta.pageSize, pgno);
  counts.pages += 1;
  const header = readHeader(bytes);
  checkHeader(header, pgno, limit);
  if (!visitor.enter(pgno, header)) return undefined;
  if (depth > place.tree.height) throw broken(pgno, `the tree ${place.name} is higher than its record says`);
  const content = readPage(bytes, pgno, place.tree, place.nested);
  if ((content.kind === 'leaf') !== (depth === place.tree.height)) {
    throw broken(pgno, `a ${content.kind} at depth ${depth} of the ${place.tree.height} of ${place.name}`);
  }
  if (content.kind === 'leaf') place.leaves += 1;
  else place.branches += 1;
  place.items += content.items;
  counts.items += content.items;
  visitor.page(pgno, bytes);
  return { pgno, txnid: header.txnid, depth, references: content.references, place, next: 0 };
}

function readRun(
  file: DataFile,
  meta: Meta,
  reference: { readonly pgno: number; readonly bytes: number },
  limit: number,
  visitor: Visitor,
  counts: WalkCounts,
): number {
  const { pgno } = reference;
  const pages = Math.ceil((HEADER_BYTES + reference.bytes) / meta.pageSize);
  checkPlace(pgno, pages, meta);
  const part = Buffer.allocUnsafe(Math.min(RUN_PART, pages * meta.pageSize));
  file.read(part, pgno * meta.pageSize, pgno);
  const header = readHeader(part);
  checkHeader(header, pgno, limit);
  if (header.flags !== pageFlag.large) throw broken(pgno, `is of the kind ${header.flags}, not of a large value`);
  if (header.pages < pages) throw broken(pgno, `holds ${header.pages} pages, its value needs ${pages}`);
  if (!visitor.enter(pgno, header)) {
    counts.pages += 1;
    return header.pages;
  }
  const total = pages * meta.pageSize;
  for (let offset = 0; offset < total; offset += part.length) {
    const piece = part.subarray(0, Math.min(part.length, total - offset));
    if (offset > 0) file.read(piece, pgno * meta.pageSize + offset, pgno);
    visitor.run(pgno, piece, offset, pages);
  }
  counts.pages += pages;
  visitor.leave(pgno);
  return header.pages;
}

function checkPlace(pgno: number, pages: number, meta: Meta): void {
  if (pgno < META_PAGES || pgno + pages > meta.firstUnallocated) throw broken(pgno, 'lies outside of what is in use');
}

function checkHeader(header: PageHeader, pgno: number, limit: number): void {
  if (header.pgno !== pgno) throw broken(pgno, `calls itself page ${header.pgno}`);
  if (header.txnid === 0) {
    throw new BackupError('method', `page ${pgno} carries no transaction number: it was written by an old libmdbx`, {
      subject: `page ${pgno}`,
      advice: 'use --method mdbx_copy',
    });
  }
  if (header.txnid > limit) throw broken(pgno, `is of transaction ${header.txnid}, newer than ${limit} above it`);
}

function finish(place: Place, pgno: number): void {
  const { within } = place;
  if (within !== undefined) {
    within.branches += place.branches;
    within.leaves += place.leaves;
    within.large += place.large;
    if (!place.whole) within.whole = false;
  }
  if (!place.whole) return;
  const { tree, branches, leaves, large, items, name } = place;
  const same =
    tree.branchPages === branches && tree.leafPages === leaves && tree.largePages === large && tree.items === items;
  if (same) return;
  const [told, found] = [
    [tree.branchPages, tree.leafPages, tree.largePages, tree.items],
    [branches, leaves, large, items],
  ];
  throw broken(
    pgno,
    `${name}: its record tells ${told.join('/')} branches/leaves/large/items, ${found.join('/')} found`,
  );
}
