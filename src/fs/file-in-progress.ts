import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from './durable.ts';

/** A file that nobody sees by its name until all of its bytes are on the disk. */
export interface FileInProgress {
  /** Where its bytes are until then; beside the file, so that the rename stays within one file system. */
  readonly temporary: string;
  /** Several at once may write, each its own range. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** The same for pieces that follow one another. */
  writePieces(pieces: readonly Uint8Array[], position: number): Promise<void>;
  /** Syncs it, gives it its time (milliseconds since 1970) and its name, and syncs the directory. */
  commit(modified?: number): Promise<void>;
  discard(): Promise<void>;
}

const pattern = /^\.bucketwright-[0-9a-f]{16}\.part$/;

/** Whether a path is one of a file in progress, such as one that a killed process left. */
export function isTemporaryName(path: string): boolean {
  return pattern.test(basename(path));
}

/**
 * Begins to replace `file`; its directory must exist. Never follows a symbolic link at the temporary name.
 * @param announce told the temporary path before it exists, so that whoever is killed in between can remove it later
 */
export async function beginFile(
  file: string,
  announce: (temporary: string) => Promise<void>,
  mode = 0o644,
): Promise<FileInProgress> {
  const temporary = join(dirname(file), `.bucketwright-${randomBytes(8).toString('hex')}.part`);
  await announce(temporary);
  const handle = await open(temporary, 'wx', mode);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await handle.close();
  };
  return {
    temporary,
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    },
    async writePieces(pieces, position) {
      for (let rest = [...pieces], at = position; rest.length > 0; ) {
        const { bytesWritten } = await handle.writev(rest, at);
        at += bytesWritten;
        rest = after(rest, bytesWritten);
      }
    },
    async commit(modified) {
      if (modified !== undefined) await handle.utimes(new Date(), new Date(modified));
      await handle.sync();
      await close();
      await rename(temporary, file);
      await syncDirectory(dirname(file));
    },
    async discard() {
      await close();
      await rm(temporary, { force: true });
    },
  };
}

/** What is left of pieces without their first `bytes`. */
function after(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - rest.length;
    return rest.length === 0 ? [] : [rest];
  });
}
