import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../core/errors.ts';

/**
 * The durable file primitives. Nothing outside `fs/` and the body files of `store/` calls rename or fsync.
 *
 * A new or renamed file survives a power cut only when both its bytes and its directory entry were synced
 * (fsync(2), "Calling fsync() does not necessarily ensure that the entry in the directory … has also reached disk").
 */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces `file` whole or not at all: temporary name, fsync, rename, fsync of the directory.
 * @param mode permission bits of the new file; 0600 unless told otherwise
 */
export async function writeFileDurably(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await handle.close();
  await rename(temporary, file);
  await syncDirectory(dirname(file));
}

/** Creates `directory` and what is missing above it, each durably. An existing one is left as it is. */
export async function makeDirectoryDurably(directory: string, mode = 0o700): Promise<void> {
  try {
    await mkdir(directory, { mode });
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return;
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    await makeDirectoryDurably(dirname(directory), mode);
    await makeDirectoryDurably(directory, mode);
    return;
  }
  try {
    await syncDirectory(join(directory, '..'));
  } catch (error) {
    // Whoever tries again would find it there, and take it for durable.
    await rmdir(directory).catch(() => undefined);
    throw error;
  }
}

/** Makes what another program or library has written to a file survive a power cut, with its name. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(dirname(file));
}

/** Moves a file within one file system. One that is not there any more is no error: it may have been moved before. */
export async function moveDurably(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  await syncDirectory(dirname(to));
  await syncDirectory(dirname(from));
}
