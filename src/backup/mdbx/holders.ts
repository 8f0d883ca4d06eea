import { readFile, stat } from 'node:fs/promises';

/**
 * Pids of processes that hold a POSIX lock on the file, as `/proc/locks` tells. libmdbx locks its lock file for as long as
 * an environment is open. In another pid namespace the kernel tells the pid 0.
 */
export async function holdersOf(file: string): Promise<readonly number[]> {
  const facts = await stat(file).catch(() => undefined);
  if (facts === undefined) return [];
  const table = await readFile('/proc/locks', 'utf8');
  const pids = new Set<number>();
  for (const line of table.split('\n')) {
    const [, , , , pid, place] = line.replace('->', '').trim().split(/\s+/);
    const inode = place?.split(':')[2];
    if (pid !== undefined && inode === String(facts.ino)) pids.add(Number(pid));
  }
  return [...pids];
}
