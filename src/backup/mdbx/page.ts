import { BackupError } from '../errors.ts';
import {
  HEADER_BYTES,
  NO_PAGE,
  nodeFlag,
  type PageHeader,
  pageFlag,
  readHeader,
  readTree,
  TREE_BYTES,
  type Tree,
  treeFlag,
} from './layout.ts';

/** What a page refers to. */
export type Reference =
  | { readonly kind: 'child'; readonly pgno: number }
  /** A value of `bytes` bytes in pages of its own. */
  | { readonly kind: 'large'; readonly pgno: number; readonly bytes: number }
  | { readonly kind: 'tree'; readonly tree: Tree; readonly nested: boolean; readonly name: string };

export interface PageContent {
  readonly kind: 'branch' | 'leaf';
  readonly references: readonly Reference[];
  /** Keys of the page, and key-value pairs with their duplicates on sub-pages. Nested trees count their own. */
  readonly items: number;
}

/** A page contradicts itself: damage, or the writer was at it while it was read. */
export function broken(pgno: number, what: string): BackupError {
  return new BackupError('structure', `page ${pgno}: ${what}`, {
    subject: `page ${pgno}`,
    advice: "check the environment with libmdbx's mdbx_chk; if it is whole, use --method mdbx_copy",
  });
}

/** Compares the key at [a, a + aBytes) with that at [b, b + bBytes) of the same bytes. */
type Compare = (bytes: Buffer, a: number, aBytes: number, b: number, bBytes: number) => number;

const lexical: Compare = (bytes, a, aBytes, b, bBytes) => {
  const most = Math.min(aBytes, bBytes);
  for (let at = 0; at < most; at++) {
    const difference = (bytes[a + at] ?? 0) - (bytes[b + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return aBytes - bBytes;
};
const integers: Compare = (bytes, a, aBytes, b, bBytes) => {
  if (aBytes !== bBytes) return 1;
  for (let at = aBytes - 1; at >= 0; at--) {
    const difference = (bytes[a + at] ?? 0) - (bytes[b + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};
const reversed: Compare = (bytes, a, aBytes, b, bBytes) => {
  const most = Math.min(aBytes, bBytes);
  for (let back = 1; back <= most; back++) {
    const difference = (bytes[a + aBytes - back] ?? 0) - (bytes[b + bBytes - back] ?? 0);
    if (difference !== 0) return difference;
  }
  return aBytes - bBytes;
};

/** How a tree orders its keys; a nested tree's keys are the duplicates of its key. */
export function keyOrder(flags: number, duplicates: boolean): Compare {
  const [integer, reverse] = duplicates
    ? [treeFlag.integerDup, treeFlag.reverseDup]
    : [treeFlag.integerKey, treeFlag.reverseKey];
  if ((flags & integer) !== 0) return integers;
  return (flags & reverse) !== 0 ? reversed : lexical;
}

const u16 = (bytes: Buffer, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
const NONE: readonly Reference[] = [];

/**
 * Reads what a branch or leaf page holds, and holds it to the format: bounds, kinds, and the order of its keys.
 * @param nested whether it is a page of the duplicates of one key
 * @throws BackupError `structure`
 */
export function readPage(bytes: Buffer, pgno: number, tree: Tree, nested: boolean): PageContent {
  const header = readHeader(bytes);
  const count = header.lower >>> 1;
  const { lower, upper, flags } = header;
  if ((lower & 1) !== 0 || lower > upper || HEADER_BYTES + upper > bytes.length) throw broken(pgno, 'bounds are wrong');
  const compare = keyOrder(tree.flags, nested);
  if (flags === (pageFlag.leaf | pageFlag.dupfix)) {
    checkFixed(bytes, 0, bytes.length, header, pgno, compare);
    return { kind: 'leaf', references: NONE, items: count };
  }
  if (flags !== pageFlag.leaf && flags !== pageFlag.branch) throw broken(pgno, `is of the unexpected kind ${flags}`);
  const branch = flags === pageFlag.branch;
  if (branch && count < 2) throw broken(pgno, `is a branch with ${count} children`);
  const references: Reference[] = [];
  const { length } = bytes;
  let items = 0;
  let [before, beforeBytes] = [0, 0];
  for (let index = 0; index < count; index++) {
    const at = HEADER_BYTES + u16(bytes, HEADER_BYTES + index * 2);
    if (at < HEADER_BYTES + upper || at + 8 > length) throw broken(pgno, `entry ${index} lies outside`);
    const keyBytes = u16(bytes, at + 6);
    const key = at + 8;
    if (key + keyBytes > length) throw broken(pgno, `the key of entry ${index} lies outside`);
    // The first key of a branch page stands for all that is less: it is not compared.
    if (index > (branch ? 1 : 0) && compare(bytes, before, beforeBytes, key, keyBytes) >= 0) {
      throw broken(pgno, `key ${index} is out of order`);
    }
    [before, beforeBytes] = [key, keyBytes];
    if (branch) {
      references.push({ kind: 'child', pgno: bytes.readUInt32LE(at) });
      continue;
    }
    const [size, kind] = [bytes.readUInt32LE(at), bytes[at + 4] ?? 0];
    if (kind === 0) {
      if (key + keyBytes + size > length) throw broken(pgno, 'a value lies outside');
      items += 1;
      continue;
    }
    const found = readValue(bytes, key + keyBytes, size, kind, pgno, tree, key, keyBytes);
    items += found.items;
    if (found.reference !== undefined) references.push(found.reference);
  }
  return { kind: branch ? 'branch' : 'leaf', references, items };
}

/** A value that is not just bytes on the page. */
function readValue(
  bytes: Buffer,
  at: number,
  size: number,
  kind: number,
  pgno: number,
  tree: Tree,
  key: number,
  keyBytes: number,
): { readonly items: number; readonly reference?: Reference } {
  const inside = kind === nodeFlag.big ? 4 : size;
  if (at + inside > bytes.length) throw broken(pgno, 'a value lies outside');
  switch (kind) {
    case nodeFlag.big:
      return { items: 1, reference: { kind: 'large', pgno: bytes.readUInt32LE(at), bytes: size } };
    case nodeFlag.tree:
    case nodeFlag.tree | nodeFlag.dup: {
      if (size !== TREE_BYTES) throw broken(pgno, `a tree's record has ${size} bytes`);
      const nested = kind !== nodeFlag.tree;
      const found = readTree(bytes, at);
      // A nested tree orders its keys as its parent's flags say for duplicates.
      const ordered = nested ? { ...found, flags: tree.flags } : found;
      const name = nested ? 'duplicates' : bytes.toString('utf8', key, key + keyBytes);
      const reference = { kind: 'tree', tree: ordered, nested, name } as const;
      if (!nested) return { items: 1, reference };
      return found.root === NO_PAGE ? { items: found.items } : { items: found.items, reference };
    }
    case nodeFlag.dup:
      return { items: readSubPage(bytes, at, size, pgno, tree) };
    default:
      throw broken(pgno, `a value is of the unknown kind ${kind}`);
  }
}

/** A small page within a value, with the duplicates of one key. @returns how many there are */
function readSubPage(bytes: Buffer, start: number, size: number, pgno: number, tree: Tree): number {
  if (size < HEADER_BYTES) throw broken(pgno, 'a sub-page is too small');
  const header = readHeader(bytes, start);
  const count = header.lower >>> 1;
  const end = start + size;
  const body = start + HEADER_BYTES;
  if ((header.flags & pageFlag.sub) === 0 || header.lower > header.upper || body + header.lower > end) {
    throw broken(pgno, 'a sub-page has wrong bounds');
  }
  const compare = keyOrder(tree.flags, true);
  if ((header.flags & pageFlag.dupfix) !== 0) {
    checkFixed(bytes, start, end, header, pgno, compare);
    return count;
  }
  let [before, beforeBytes] = [0, 0];
  for (let index = 0; index < count; index++) {
    const at = body + u16(bytes, body + index * 2);
    if (at + 8 > end) throw broken(pgno, 'a duplicate lies outside');
    const keyBytes = u16(bytes, at + 6);
    if (at + 8 + keyBytes > end) throw broken(pgno, 'a duplicate lies outside');
    if (index > 0 && compare(bytes, before, beforeBytes, at + 8, keyBytes) >= 0) {
      throw broken(pgno, 'duplicates are out of order');
    }
    [before, beforeBytes] = [at + 8, keyBytes];
  }
  return count;
}

function checkFixed(
  bytes: Buffer,
  start: number,
  end: number,
  header: PageHeader,
  pgno: number,
  compare: Compare,
): void {
  const width = u16(bytes, start + 8);
  const count = header.lower >>> 1;
  const body = start + HEADER_BYTES;
  if (width === 0 || body + width * count > end) throw broken(pgno, 'fixed-size values lie outside');
  for (let index = 1; index < count; index++) {
    const at = body + index * width;
    if (compare(bytes, at - width, width, at, width) >= 0) throw broken(pgno, 'fixed-size values are out of order');
  }
}
