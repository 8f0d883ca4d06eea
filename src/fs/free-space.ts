import { statfs } from 'node:fs/promises';

export interface DiskSpace {
  /** Bytes that this user may still write. */
  readonly free: number;
  readonly total: number;
}

/** Space on the file system that holds `path` (statfs(2); the share reserved for root does not count as free). */
export async function diskSpace(path: string): Promise<DiskSpace> {
  const stats = await statfs(path);
  return { free: stats.bavail * stats.bsize, total: stats.blocks * stats.bsize };
}
