import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBucketName, type SettingProblem } from '../../settings/index.ts';
import { isStoreDirectory } from '../../store/index.ts';
import type { Environment } from './environment.ts';

const VARIABLE = 'MINIO_DEFAULT_BUCKETS';

/**
 * The buckets that Bitnami's MinIO image makes at its start: names separated by commas, semicolons or spaces, each
 * perhaps with an anonymous access policy (`photos:download`); only `none` exists here.
 */
export function defaultBuckets(environment: Environment): {
  readonly names: readonly string[];
  readonly problems: readonly SettingProblem[];
} {
  const names: string[] = [];
  const problems: SettingProblem[] = [];
  const refuse = (problem: string) =>
    problems.push({ name: VARIABLE, origin: `environment ${VARIABLE}`, problem, example: 'photos,backups' });
  for (const entry of (environment[VARIABLE] ?? '').split(/[\s,;]+/)) {
    if (entry === '') continue;
    const [name = '', policy = 'none', ...rest] = entry.split(':');
    const parsed = parseBucketName(name);
    if (!parsed.ok) refuse(`"${name}" ${parsed.problem}`);
    else if (policy !== 'none' || rest.length > 0) refuse(`${entry}: access without a key is not supported`);
    else names.push(name);
  }
  return { names, problems };
}

/**
 * Empty directories in the data directory: many compose files make MinIO's buckets by `mkdir -p /data/photos` in front
 * of `minio server /data`. What is in a directory is never looked at.
 */
export async function bucketsOfDirectories(data: string): Promise<readonly string[]> {
  const names: string[] = [];
  for (const entry of await readdir(data, { withFileTypes: true })) {
    if (!entry.isDirectory() || isStoreDirectory(entry.name) || !parseBucketName(entry.name).ok) continue;
    if ((await readdir(join(data, entry.name)).catch(() => ['unreadable'])).length === 0) names.push(entry.name);
  }
  return names.sort();
}
