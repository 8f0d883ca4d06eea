import { lstat, open, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pack as tarPack } from 'tar-stream';
import { systemErrorCode } from '../core/errors.ts';
import { KiB } from '../core/sizes.ts';
import { owned } from './borrowed.ts';
import { ArtifactError } from './errors.ts';
import { mediaTypes } from './model.ts';

/** Something that can be read more than once, with the same bytes each time unless somebody changes it. */
export interface Source {
  readonly mediaType: string;
  /** The file's or directory's own name. */
  readonly title: string;
  /**
   * Pieces that are the reader's until it asks for the next one (`owned` copies them).
   * @throws ArtifactError `content-changed` when a file is not as long as it was
   */
  read(): AsyncIterable<Uint8Array>;
}

interface PackedFile {
  /** With slashes, relative to the directory; a directory's ends with one. */
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
}

/**
 * A file as it is, or a directory as a tar whose bytes depend only on names, contents and whether the owner may execute:
 * sorted by bytes, no times, no owners, modes 0644 and 0755. Not compressed: compressors of different releases write
 * different bytes, and the digest would change with them.
 * @throws ArtifactError `unpackable`
 */
export async function openSource(path: string): Promise<Source> {
  const facts = await lstat(path).catch((error: unknown) => {
    throw unpackable(path, `it cannot be read (${systemErrorCode(error) ?? 'unknown'})`, error);
  });
  const title = basename(resolve(path));
  if (facts.isFile()) return { mediaType: mediaTypes.file, title, read: () => readFile(path, facts.size) };
  if (!facts.isDirectory()) throw unpackable(path, 'it is neither a file nor a directory');
  const files = await walk(path, '');
  files.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  return { mediaType: mediaTypes.tar, title, read: () => packed(path, files) };
}

async function walk(root: string, below: string): Promise<PackedFile[]> {
  const files: PackedFile[] = [];
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = `${below}${entry.name}`;
    if (entry.name.includes('\ufffd')) throw unpackable(join(root, path), 'its name is not UTF-8');
    if (entry.isDirectory()) {
      files.push({ path: `${path}/`, size: 0, executable: true }, ...(await walk(root, `${path}/`)));
    } else if (entry.isFile()) {
      const { size, mode } = await lstat(join(root, path));
      files.push({ path, size, executable: (mode & 0o100) !== 0 });
    } else {
      const what = entry.isSymbolicLink() ? 'a symbolic link' : 'neither a file nor a directory';
      throw unpackable(join(root, path), `it is ${what}`);
    }
  }
  return files;
}

async function* packed(root: string, files: readonly PackedFile[]): AsyncGenerator<Uint8Array> {
  const archive = tarPack();
  const feeding = feed(archive, root, files).catch((error: unknown) => {
    archive.destroy();
    throw error;
  });
  // The archive's own error says less than what made it fail.
  feeding.catch(() => {});
  try {
    for await (const chunk of archive) yield asBytes(chunk);
  } catch (error) {
    await feeding;
    throw error;
  } finally {
    archive.destroy();
  }
  await feeding;
}

async function feed(archive: ReturnType<typeof tarPack>, root: string, files: readonly PackedFile[]): Promise<void> {
  for (const { path, size, executable } of files) {
    const directory = path.endsWith('/');
    const header = {
      name: path,
      size,
      type: directory ? ('directory' as const) : ('file' as const),
      mode: executable ? 0o755 : 0o644,
      mtime: new Date(0),
      uid: 0,
      gid: 0,
    };
    await new Promise<void>((done, reject) => {
      const entry = archive.entry(header, (error) => (error ? reject(error) : done()));
      // Said by the feeding, where it was made.
      entry.on('error', reject);
      if (!directory) write(entry, owned(readFile(join(root, path), size))).catch(reject);
    });
  }
  archive.finalize();
}

/** What tar-stream hands out, whose types do not say it. */
export function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError('tar-stream handed out something that is no bytes');
}

async function write(
  entry: ReturnType<ReturnType<typeof tarPack>['entry']>,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  for await (const chunk of bytes) {
    if (!entry.write(chunk)) await new Promise<void>((resume) => entry.once('drain', () => resume()));
  }
  entry.end(null);
}

const CHUNK = 512 * KiB;

/** In memory that is used again: fresh buffers for every chunk would be most of the process's memory. */
async function* readFile(path: string, size: number): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const memory = Buffer.allocUnsafe(Math.min(CHUNK, size + 1));
    let read = 0;
    for (;;) {
      const { bytesRead } = await handle.read(memory, 0, memory.length);
      read += bytesRead;
      if (bytesRead === 0 || read > size) break;
      yield memory.subarray(0, bytesRead);
    }
    if (read === size) return;
  } finally {
    await handle.close();
  }
  throw new ArtifactError('content-changed', `${path} changed while it was read`, {
    subject: path,
    advice: 'push it again when nobody writes to it',
  });
}

function unpackable(path: string, why: string, cause?: unknown): ArtifactError {
  return new ArtifactError('unpackable', `${path} cannot be pushed: ${why}`, {
    subject: path,
    advice: 'artifacts hold only files and directories: copy what links point to, or leave it out',
    cause,
  });
}
