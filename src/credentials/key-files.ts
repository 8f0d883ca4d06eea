import { stat } from 'node:fs/promises';
import { DAY } from '../core/durations.ts';
import { systemErrorCode } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';

/** Compose and Swarm mount secrets here, for every user of the container unless told otherwise. */
const MOUNTED = /^\/run\/secrets\//;

/** Whether nobody but its user can read a file that holds secrets; undefined where there is none. */
export async function checkFileMode(path: string): Promise<Finding | undefined> {
  const facts = {
    id: 'key-file-mode',
    subject: path,
    expected: 'mode 0600 or 0400, of the user who runs this',
    why: 'whoever can read the file has the key',
  };
  let mode: number;
  let owner: number;
  try {
    const found = await stat(path);
    mode = found.mode & 0o777;
    owner = found.uid;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return undefined;
    return { ...facts, status: 'fail', found: `cannot be looked at (${code ?? 'unknown'})`, advice: 'check its owner' };
  }
  const found = `mode 0${mode.toString(8).padStart(3, '0')}`;
  if ((mode & 0o077) === 0) {
    const uid = process.getuid?.();
    return uid === undefined || owner === uid || uid === 0
      ? { id: facts.id, subject: path, status: 'ok', found }
      : { ...facts, status: 'warn', found: `${found}, of user ${owner}`, advice: `chown ${uid} ${path}` };
  }
  if (MOUNTED.test(path)) {
    return {
      ...facts,
      status: 'warn',
      found,
      advice: 'say `mode: 0400` and `uid` where the secret is given to the service',
    };
  }
  const status = (mode & 0o007) !== 0 || (mode & 0o020) !== 0 ? 'fail' : 'warn';
  return { ...facts, status, found, advice: `chmod 600 ${path}` };
}

export interface AgeLimit {
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** Milliseconds. */
  readonly maxAge: number;
}

/** How old a key is at least: no S3 tells it, but its file has not been changed since. */
export async function checkFileAge(path: string, limit: AgeLimit): Promise<Finding | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    return ageFinding(path, mtimeMs, 'at least ', limit);
  } catch {
    // Its mode's finding says what is wrong with it.
    return undefined;
  }
}

/** @param created milliseconds since 1970 UTC */
export function ageFinding(subject: string, created: number, qualifier: string, { now, maxAge }: AgeLimit): Finding {
  const days = Math.max(0, Math.floor((now - created) / DAY));
  const found = `${qualifier}${days} ${days === 1 ? 'day' : 'days'} old`;
  if (now - created <= maxAge) return { id: 'key-age', subject, status: 'ok', found };
  return {
    id: 'key-age',
    subject,
    status: 'warn',
    found,
    expected: `at most ${Math.round(maxAge / DAY)} days`,
    why: 'a copy of the key that somebody kept works until the key is changed',
    advice: 'rotate it: a new key first, then the old one away',
  };
}
