import { lchown, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Gives everything below a directory, and itself, to the owner of the directory above it: what root copies into the
 * volume of a program that runs as a user of its own could be read by that program, but neither compacted nor deleted.
 * @returns how many files and directories changed hands; 0 where the process is not root
 */
export async function giveToOwnerAbove(directory: string): Promise<number> {
  if (process.getuid?.() !== 0) return 0;
  const { uid, gid } = await stat(dirname(directory));
  let given = 0;
  const give = async (path: string) => {
    const owned = await stat(path);
    if (owned.uid === uid && owned.gid === gid) return;
    await lchown(path, uid, gid);
    given += 1;
  };
  await give(directory);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() || entry.isDirectory()) await give(join(entry.parentPath, entry.name));
  }
  return given;
}
