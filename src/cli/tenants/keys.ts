import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../../core/errors.ts';
import { Secret } from '../../core/secret.ts';
import type { Connection } from '../../providers/index.ts';
import { TenantError } from '../../tenants/errors.ts';
import { keyFileIn } from './deliver.ts';

/**
 * Connections by the tenants' own keys, from one file each: `<name>.env` as `tenant add --keys` writes it.
 * @throws TenantError `keys`, for all that are missing or broken at once
 */
export function tenantConnections(
  directory: string,
  names: readonly string[],
  connection: Connection,
): ReadonlyMap<string, Connection> {
  const found = new Map<string, Connection>();
  const problems: string[] = [];
  for (const name of names) {
    const credentials = readKeys(keyFileIn(directory, name));
    if (typeof credentials === 'string') problems.push(`${keyFileIn(directory, name)} ${credentials}`);
    else found.set(name, { ...connection, credentials });
  }
  if (problems.length === 0) return found;
  throw new TenantError('keys', problems.join('; '), {
    subject: directory,
    advice: 'tenant add --keys writes such files; made by hand they hold S3_ACCESS_KEY_ID=… and S3_SECRET_ACCESS_KEY=…',
  });
}

function readKeys(file: string): Connection['credentials'] | string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return `cannot be read (${systemErrorCode(error) ?? 'unknown'})`;
  }
  const value = (name: string) => new RegExp(`^(?:export )?${name}=(.+)$`, 'm').exec(text)?.[1]?.trim();
  const accessKeyId = value('S3_ACCESS_KEY_ID');
  const secretAccessKey = value('S3_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) return 'holds no key';
  return { accessKeyId: new Secret(accessKeyId), secretAccessKey: new Secret(secretAccessKey) };
}
