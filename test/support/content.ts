import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** `length` bytes that look random and depend only on `seed`, so a failure can be repeated. */
export function bytesOf(seed: string, length: number): Buffer {
  const block = createHash('sha512').update(seed).digest();
  const out = Buffer.alloc(length);
  // xorshift from the seed's hash: a hash per block would cost seconds for the large objects
  let state = block.readUInt32LE(0) || 1;
  let offset = 0;
  for (; offset + 4 <= length; offset += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out.writeInt32LE(state, offset);
  }
  block.copy(out, offset, 0, length - offset);
  return out;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

export type Tree = Readonly<Record<string, Uint8Array>>;

/**
 * A small directory tree of the kind that breaks clients: an empty file, sizes around powers of two, odd names that
 * must be escaped in URLs, XML and signatures.
 */
export function oddTree(): Tree {
  return {
    'empty.txt': Buffer.alloc(0),
    'one byte': Buffer.from('x'),
    'docs/readme.md': Buffer.from('# read me\n'),
    'docs/deep/er/and/deeper.bin': bytesOf('deeper', 70_000),
    'docs/a+b & c=d.txt': bytesOf('plus', 1_000),
    'docs/100%.txt': bytesOf('percent', 999),
    "docs/it's (quoted) [here] {too}!.txt": bytesOf('quotes', 65_536),
    'unicode/äöü ß – 日本語 🪣.txt': bytesOf('unicode', 65_537),
    'unicode/#hash;semi,comma@at~tilde$dollar.txt': bytesOf('punctuation', 4_097),
    '.hidden/x': bytesOf('hidden', 10),
  };
}

export async function writeTree(root: string, tree: Tree): Promise<void> {
  for (const [name, bytes] of Object.entries(tree)) {
    const path = join(root, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}

/** Every file under `root` by its relative path; directories without files do not count, since S3 has none. */
export async function readTree(root: string): Promise<Tree> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const tree: Record<string, Uint8Array> = {};
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    tree[relative(root, path)] = await readFile(path);
  }
  return tree;
}

/** Names with sizes and hashes, sorted: what two trees are compared by, so that a difference prints as a line. */
export function fingerprint(tree: Tree): string[] {
  return Object.entries(tree)
    .map(([name, bytes]) => `${name} ${bytes.length} ${sha256(bytes)}`)
    .sort();
}
