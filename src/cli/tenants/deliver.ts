import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { HostError, UsageError } from '../../core/errors.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../fs/durable.ts';
import type { NewKey } from '../../users/index.ts';
import { checkOut, keyFileText } from '../users.ts';

/** Where a new key goes, the only time it can be had. */
export interface Delivery {
  /** A new file, mode 0600. */
  readonly out?: string | undefined;
  /** A directory, mode 0700, of one such file a tenant: what `tenant audit --keys` reads. */
  readonly keys?: string | undefined;
  /** The name of a Swarm secret that is made. */
  readonly swarmSecret?: string | undefined;
}

export const keyFileIn = (directory: string, tenant: string): string => join(directory, `${tenant}.env`);

/** Before anything is changed, so that no key is made that nobody gets. @throws UsageError */
export function checkDelivery({ out, keys, swarmSecret }: Delivery, tenants: readonly string[]): void {
  if ([out, keys, swarmSecret].filter((one) => one !== undefined).length > 1) {
    throw new UsageError('--out, --keys and --swarm-secret exclude each other', {
      advice: 'choose one place for the key',
    });
  }
  if (tenants.length > 1 && (out !== undefined || swarmSecret !== undefined)) {
    throw new UsageError(`${tenants.length} keys are to be made (${tenants.join(', ')})`, {
      advice: '--keys DIRECTORY takes one file each',
    });
  }
  checkOut(out);
  if (keys === undefined) return;
  for (const tenant of tenants) checkOut(keyFileIn(keys, tenant));
}

/** Hands the key out and answers what may be shown of it: the secret only where it went nowhere else. */
export async function deliver(
  key: NewKey,
  { out, keys, swarmSecret }: Delivery,
): Promise<Readonly<Record<string, string>>> {
  const shown = { user: key.user, accessKeyId: key.accessKeyId };
  if (swarmSecret !== undefined) {
    await createSwarmSecret(swarmSecret, keyFileText(key));
    return { ...shown, swarmSecret };
  }
  const file = out ?? (keys === undefined ? undefined : keyFileIn(keys, key.user));
  if (file === undefined) return { ...shown, secretAccessKey: key.secretAccessKey.reveal() };
  if (keys !== undefined) await makeDirectoryDurably(keys);
  await writeFileDurably(file, keyFileText(key));
  return { ...shown, file };
}

/** By standard input, so that the secret is in no list of processes. */
function createSwarmSecret(name: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['secret', 'create', name, '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (part: Buffer) => {
      said += part.toString('utf8');
    });
    const fail = (why: string, cause?: unknown) =>
      reject(
        new HostError('host', `docker secret create ${name} failed: ${why}`, {
          subject: name,
          advice: 'the key was made but handed to nobody: rotate it once Docker answers as a Swarm manager',
          cause,
        }),
      );
    child.once('error', (error) => fail('docker cannot be run', error));
    child.once('close', (code) => (code === 0 ? resolve() : fail(said.trim().split('\n')[0] ?? `code ${code}`)));
    child.stdin.end(text);
  });
}
