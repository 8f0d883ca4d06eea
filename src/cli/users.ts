import { existsSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { systemErrorCode, UsageError } from '../core/errors.ts';
import { writeFileDurably } from '../fs/durable.ts';
import { cannedPolicies, type NewKey, UserStore } from '../users/index.ts';
import { type CliContext, loadSettings, noun } from './context.ts';
import { findRunning } from './embedded/pid-file.ts';

/** A server looks at the users ten times a second; a command that takes rights away waits for that. */
const NOTICED_MS = 250;

export function userNoun(program: Command): Command {
  return noun(program, 'user', 'Users and keys of the embedded server, while it runs or is stopped.');
}

/** @throws SettingsError */
export function userStore(command: Command, context: CliContext): { readonly users: UserStore; readonly data: string } {
  const { data, serverKey } = loadSettings(command, context, 'server').server;
  return { users: new UserStore(resolve(data), serverKey), data: resolve(data) };
}

/** Until a running server has seen the change. */
export async function untilNoticed(data: string): Promise<void> {
  if ((await findRunning(data)) !== undefined) await sleep(NOTICED_MS);
}

/**
 * Policies by name: `readwrite`, `readonly`, `writeonly`, or a file, called after itself unless written `name=file`.
 * @throws UsageError
 */
export function readPolicies(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(given.map(readPolicy));
}

export function readPolicy(given: string): readonly [name: string, document: string] {
  const canned = cannedPolicies[given];
  if (canned !== undefined) return [given, canned];
  const named = /^([A-Za-z0-9_+,.@-]+)=(.+)$/s.exec(given);
  const file = named?.[2] ?? given;
  try {
    return [named?.[1] ?? basename(file).replace(/\.json$/, ''), readFileSync(file, 'utf8')];
  } catch (cause) {
    throw new UsageError(`the policy ${file} cannot be read (${systemErrorCode(cause) ?? 'unknown'})`, {
      subject: file,
      advice: `name a JSON file, or one of ${Object.keys(cannedPolicies).join(', ')}`,
      cause,
    });
  }
}

/** Before anything is changed, so that a key is never made that nobody gets. @throws UsageError */
export function checkOut(out: string | undefined): void {
  if (out === undefined || !existsSync(out)) return;
  throw new UsageError(`${out} exists`, { subject: out, advice: 'name a new file for the key, or remove that one' });
}

/** A file that shells and Swarm secrets can hold. */
export const keyFileText = ({ user, accessKeyId, secretAccessKey }: NewKey): string =>
  `# The key of ${user}, made by bucketwright. In a shell: set -a; . this-file; set +a\nS3_ACCESS_KEY_ID=${accessKeyId}\nS3_SECRET_ACCESS_KEY=${secretAccessKey.reveal()}\n`;

/** Hands a new key out, the only time it can be read: to a file of mode 0600, or to standard output. */
export async function handOut(
  key: NewKey,
  out: string | undefined,
  json: boolean,
  context: CliContext,
  more: object = {},
): Promise<void> {
  const { user, accessKeyId } = key;
  const secretAccessKey = key.secretAccessKey.reveal();
  if (out !== undefined) {
    await writeFileDurably(out, keyFileText(key));
  }
  if (json) {
    const secret = out === undefined ? { secretAccessKey } : { file: out };
    context.out.write(`${JSON.stringify({ user, accessKeyId, ...secret, ...more }, null, 2)}\n`);
  } else if (out !== undefined) {
    context.out.write(`key ${accessKeyId} of ${user} is in ${out}\n`);
  } else {
    context.out.write(`S3_ACCESS_KEY_ID=${accessKeyId}\nS3_SECRET_ACCESS_KEY=${secretAccessKey}\n`);
    context.err.write('the secret is not shown again\n');
  }
}
