import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBucketName } from '../../settings/index.ts';

/** What the store itself keeps in the data directory. */
const OWN = /^(?:index(?:\.before-format-\d+)?|bodies)$/;

/**
 * Empty directories in the data directory: many compose files make MinIO's buckets by `mkdir -p /data/photos` in front
 * of `minio server /data`. What is in a directory is never looked at.
 */
export async function bucketsOfDirectories(data: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readdir(data, { withFileTypes: true })) {
    if (!entry.isDirectory() || OWN.test(entry.name) || !parseBucketName(entry.name).ok) continue;
    if ((await readdir(join(data, entry.name)).catch(() => ['unreadable'])).length === 0) names.push(entry.name);
  }
  return names.sort();
}
