import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '../core/errors.ts';
import { syncDirectory } from './durable.ts';

/** A file that is made in parts, and gone on with after a crash: what is noted as written is on the disk. */
export interface ResumableFile {
  /** Where its bytes are until it is committed; beside the file, so that the rename stays within one file system. */
  readonly temporary: string;
  /** For threads of this process; good until it is committed, suspended or discarded. */
  readonly descriptor: number;
  /** Parts that an earlier attempt wrote. */
  readonly done: ReadonlySet<string>;
  /** Several at once may write, each its own range. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Says that all bytes of a part were written; the name is one word. It counts after the next checkpoint. */
  note(part: string): void;
  /** Syncs the bytes, and then what is noted. */
  checkpoint(): Promise<void>;
  /** Syncs it, gives it its name, and syncs the directory. */
  commit(): Promise<void>;
  /** Leaves it to be gone on with. */
  suspend(): Promise<void>;
  discard(): Promise<void>;
}

/**
 * Begins to make `file`, or goes on with what an attempt of the same token left; its directory must exist.
 * @param token 16 hexadecimal digits that name what is made: another content is another token
 */
export async function resumeFile(file: string, token: string, mode = 0o600): Promise<ResumableFile> {
  const temporary = join(dirname(file), `.bucketwright-${token}.part`);
  const notes = join(dirname(file), `.bucketwright-${token}.${basename(file)}.done`);
  const bytes = await openForBoth(temporary, mode);
  const done = new Set(await notedIn(notes));
  let journal: FileHandle | undefined;
  let pending: string[] = [];
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await bytes.close();
    await journal?.close();
  };
  const checkpoint = async () => {
    if (pending.length === 0) return;
    const noted = pending;
    pending = [];
    await bytes.datasync();
    journal ??= await open(notes, 'a', mode);
    await journal.appendFile(noted.map((part) => `${part}\n`).join(''));
    await journal.datasync();
  };
  return {
    temporary,
    descriptor: bytes.fd,
    done,
    async write(data, position) {
      for (let written = 0; written < data.length; ) {
        const { bytesWritten } = await bytes.write(data, written, data.length - written, position + written);
        written += bytesWritten;
      }
    },
    note(part) {
      pending.push(part);
    },
    checkpoint,
    async commit() {
      await bytes.sync();
      await close();
      await rename(temporary, file);
      await rm(notes, { force: true });
      await syncDirectory(dirname(file));
    },
    async suspend() {
      if (!closed) await checkpoint().catch(() => undefined);
      await close();
    },
    async discard() {
      await close();
      await rm(temporary, { force: true });
      await rm(notes, { force: true });
    },
  };
}

/** To be read and written, whether it is there or not. */
async function openForBoth(path: string, mode: number): Promise<FileHandle> {
  try {
    return await open(path, 'r+', mode);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return open(path, 'wx+', mode);
  }
}

/** Whole lines only: the last one may have been cut off. */
async function notedIn(path: string): Promise<readonly string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
