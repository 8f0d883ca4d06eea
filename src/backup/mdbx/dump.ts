import type { DataFile } from './data-file.ts';
import {
  HEADER_BYTES,
  type Meta,
  NO_PAGE,
  nodeFlag,
  pageFlag,
  readHeader,
  readTree,
  type Tree,
  treeFlag,
} from './layout.ts';
import { type Node, nodesOf } from './nodes.ts';
import { readPage } from './page.ts';

/** Gives neighbouring pages of an environment that nobody writes to. */
export interface Pages {
  read(first: number, count: number): Promise<Buffer>;
}

export function pagesOf(file: DataFile, { pageSize }: Meta): Pages {
  return {
    read: async (first, count) => file.read(Buffer.allocUnsafe(count * pageSize), first * pageSize, first),
  };
}

/** Names of all named tables, in their order. @throws BackupError `structure` */
export async function* tableNames(pages: Pages, meta: Meta): AsyncGenerator<string> {
  for await (const { key, kind } of nodes(pages, meta.main)) {
    if (kind === nodeFlag.tree) yield key.toString('utf8');
  }
}

/**
 * One table in the text that libmdbx's `mdbx_dump -s NAME` writes and `mdbx_load` reads: a header, then a line for each key
 * and a line for its value, in hexadecimal, in the order of the keys.
 * @param name undefined: the main table, which may hold values beside the names of others
 * @returns undefined where there is no such table
 * @throws BackupError `structure`
 */
export async function dumpTable(
  pages: Pages,
  meta: Meta,
  name: string | undefined,
): Promise<AsyncGenerator<string> | undefined> {
  const tree = name === undefined ? meta.main : await findTable(pages, meta, name);
  return tree === undefined ? undefined : lines(pages, meta, name, tree);
}

async function findTable(pages: Pages, meta: Meta, name: string): Promise<Tree | undefined> {
  for await (const { key, kind, rest } of nodes(pages, meta.main)) {
    if (kind === nodeFlag.tree && key.toString('utf8') === name) return readTree(rest, 0);
  }
  return undefined;
}

/** As mdbx_dump names them, in its order. */
const FLAGS = [
  [treeFlag.reverseKey, 'reversekey'],
  [treeFlag.dupsort, 'dupsort'],
  [treeFlag.integerKey, 'integerkey'],
  [treeFlag.dupfixed, 'dupfix'],
  [treeFlag.integerDup, 'integerdup'],
  [treeFlag.reverseDup, 'reversedup'],
] as const;

async function* lines(pages: Pages, meta: Meta, name: string | undefined, tree: Tree): AsyncGenerator<string> {
  const { pageSize } = meta;
  yield `VERSION=3\nmapsize=${meta.bytes.readUInt32LE(48) * pageSize}\nformat=bytevalue\n`;
  if (name !== undefined) yield `database=${name}\n`;
  yield `type=btree\ndb_pagesize=${pageSize}\n`;
  const duplicates = treeFlag.dupsort | treeFlag.dupfixed | treeFlag.integerDup | treeFlag.reverseDup;
  yield `duplicates=${(tree.flags & duplicates) === 0 ? 0 : 1}\n`;
  for (const [flag, word] of FLAGS) if ((tree.flags & flag) !== 0) yield `${word}=1\n`;
  yield 'HEADER=END\n';
  for await (const [key, value] of entries(pages, meta, tree)) {
    yield ` ${key.toString('hex')}\n ${value.toString('hex')}\n`;
  }
  yield 'DATA=END\n';
}

/** Keys and values of a table; those that have duplicates once for each. */
async function* entries(pages: Pages, meta: Meta, tree: Tree): AsyncGenerator<readonly [Buffer, Buffer]> {
  for await (const { key, kind, size, rest } of nodes(pages, tree)) {
    switch (kind) {
      case nodeFlag.big: {
        const count = Math.ceil((HEADER_BYTES + size) / meta.pageSize);
        const bytes = await pages.read(rest.readUInt32LE(0), count);
        yield [key, bytes.subarray(HEADER_BYTES, HEADER_BYTES + size)];
        break;
      }
      case nodeFlag.tree:
        break;
      case nodeFlag.dup:
        for (const value of keysOf(rest.subarray(0, size))) yield [key, value];
        break;
      case nodeFlag.tree | nodeFlag.dup: {
        const nested = { ...readTree(rest, 0), flags: tree.flags };
        for await (const page of leaves(pages, nested, true)) for (const value of keysOf(page)) yield [key, value];
        break;
      }
      default:
        yield [key, rest.subarray(0, size)];
    }
  }
}

async function* nodes(pages: Pages, tree: Tree): AsyncGenerator<Node> {
  for await (const page of leaves(pages, tree, false)) yield* nodesOf(page);
}

/** The keys of a leaf page or sub-page of duplicates. */
function* keysOf(page: Buffer): Generator<Buffer> {
  const { flags, lower } = readHeader(page);
  const count = lower >>> 1;
  if ((flags & pageFlag.dupfix) !== 0) {
    const width = page.readUInt16LE(8);
    for (let index = 0; index < count; index++) {
      const at = HEADER_BYTES + index * width;
      yield page.subarray(at, at + width);
    }
    return;
  }
  for (let index = 0; index < count; index++) {
    const at = HEADER_BYTES + page.readUInt16LE(HEADER_BYTES + index * 2);
    yield page.subarray(at + 8, at + 8 + page.readUInt16LE(at + 6));
  }
}

/** Leaf pages in the order of their keys, each held to the format. @throws BackupError `structure` */
async function* leaves(pages: Pages, tree: Tree, nested: boolean): AsyncGenerator<Buffer> {
  if (tree.root === NO_PAGE) return;
  // From the root down, the next of each level last: as deep as the tree is high.
  const waiting = [[tree.root]];
  for (let level = waiting.at(-1); level !== undefined; level = waiting.at(-1)) {
    const pgno = level.shift();
    if (pgno === undefined) {
      waiting.pop();
      continue;
    }
    const page = await pages.read(pgno, 1);
    const { kind, references } = readPage(page, pgno, tree, nested);
    if (kind === 'leaf') yield page;
    else if (waiting.length < tree.height) {
      waiting.push(references.flatMap((reference) => (reference.kind === 'child' ? [reference.pgno] : [])));
    }
  }
}
