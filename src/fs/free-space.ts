import { statfsSync } from 'node:fs';

export interface DiskSpace {
  /** Bytes that this user may still write. */
  readonly free: number;
  readonly total: number;
}

/**
 * Space on the file system that holds `path` (statfs(2), some microseconds; the share reserved for root does not count
 * as free).
 */
export function diskSpace(path: string): DiskSpace {
  const stats = statfsSync(path);
  return { free: stats.bavail * stats.bsize, total: stats.blocks * stats.bsize };
}
