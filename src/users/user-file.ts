import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostError, systemErrorCode } from '../core/errors.ts';
import { writeFileDurably } from '../fs/durable.ts';
import { type DirectoryLock, takeLock } from '../fs/lock-file.ts';
import { UserError } from './errors.ts';
import { noUsers, type UserFile, userFile } from './model.ts';

export const userFilePath = (data: string): string => join(data, 'users.json');

const LOCK_MS = 10_000;

/** @throws UserError `damaged` */
export function readUserFile(data: string): UserFile {
  const path = userFilePath(data);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return noUsers;
    throw error;
  }
  try {
    return userFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new UserError('damaged', `${path} is not a file of users of ours`, {
      subject: path,
      advice: 'restore it from a backup, or remove it to go on with the root key alone',
      cause,
    });
  }
}

/**
 * Changes the users, one command at a time: the file is replaced whole, and a server sees the old or the new one.
 * @throws UserError `busy` when another command holds the file for ten seconds
 */
export async function changeUserFile<T>(
  data: string,
  change: (file: UserFile) => { readonly file: UserFile; readonly result: T },
): Promise<T> {
  const lock = await lockOf(data);
  try {
    const { file, result } = change(readUserFile(data));
    await writeFileDurably(userFilePath(data), `${JSON.stringify(file, null, 2)}\n`);
    return result;
  } finally {
    await lock.release();
  }
}

async function lockOf(data: string): Promise<DirectoryLock> {
  const deadline = Date.now() + LOCK_MS;
  for (;;) {
    try {
      return await takeLock(join(data, 'users.lock'));
    } catch (error) {
      if (!(error instanceof HostError && error.code === 'data-directory-held')) throw error;
      if (Date.now() > deadline) {
        throw new UserError('busy', 'another command is changing the users', {
          subject: userFilePath(data),
          cause: error,
        });
      }
    }
    await sleep(50);
  }
}
