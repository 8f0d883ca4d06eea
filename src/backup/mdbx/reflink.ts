import { constants } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { systemErrorCode } from '../../core/errors.ts';
import { BackupError } from '../errors.ts';
import { DataFile, type Head, sameHead } from './data-file.ts';
import type { Copied, MdbxSourceOptions } from './options.ts';

const ATTEMPTS = 20;
/** What copyFile answers where there are no reflinks, or the scratch directory is on another file system. */
const CANNOT = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EINVAL', 'ENOTTY']);

/**
 * A clone by the file system (btrfs, XFS), which shares the blocks and takes little time. The clone of a file that is being
 * written holds what was written when the kernel came by, so it is proven as a reading is: it counts when the metas of the
 * live file were the same before and after it, and are in it. Then it is read in peace.
 * @throws BackupError `method` where the file system has none, or the writer was faster each time
 */
export async function cloneFile(
  { path, clock }: Pick<MdbxSourceOptions, 'path' | 'clock'>,
  target: string,
  signal: AbortSignal | undefined,
): Promise<Copied> {
  const live = new DataFile(path);
  const remove = () => rm(target, { force: true });
  let why = 'the writer committed during every attempt';
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      signal?.throwIfAborted();
      await remove();
      const before = live.head();
      const time = clock.now();
      await copyFile(live.path, target, constants.COPYFILE_FICLONE_FORCE);
      const after = live.head();
      if (sameHead(before, after) && sameHead(after, headOf(target))) {
        return { method: 'reflink', path: target, identity: live.identity(), time, remove };
      }
    }
  } catch (error) {
    await remove();
    if (!CANNOT.has(systemErrorCode(error) ?? '')) throw error;
    why = `no reflinks from there to the scratch directory (${systemErrorCode(error)})`;
  } finally {
    live.close();
  }
  await remove();
  throw new BackupError('method', `${path} could not be cloned: ${why}`, {
    subject: path,
    advice: 'reflinks need btrfs or XFS, and --scratch on the same file system; or use --method reader',
  });
}

function headOf(path: string): Head {
  const file = new DataFile(path);
  try {
    return file.head();
  } finally {
    file.close();
  }
}
