import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/errors.ts';
import { writeFileDurably } from '../../fs/durable.ts';

/** A server that runs on a data directory, as it says itself. */
export interface RunningRecord {
  readonly pid: number;
  /** Where it answers S3 requests, as a URL. */
  readonly url: string;
}

const pathOf = (data: string): string => join(data, 'server.pid');

export async function recordRunning(data: string, record: RunningRecord): Promise<void> {
  await writeFileDurably(pathOf(data), `${JSON.stringify(record)}\n`);
}

/** Removes the record if it is this process's own. */
export async function forgetRunning(data: string, pid: number): Promise<void> {
  if ((await readRecord(data))?.pid === pid) await rm(pathOf(data), { force: true });
}

/** The recorded server, if its process lives and is one of ours: a pid may have been given to another program since. */
export async function findRunning(data: string): Promise<RunningRecord | undefined> {
  const record = await readRecord(data);
  return record !== undefined && record.pid !== process.pid && isOurs(record.pid) ? record : undefined;
}

async function readRecord(data: string): Promise<RunningRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(pathOf(data), 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('url' in value)) return undefined;
    const { pid, url } = value;
    return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 && typeof url === 'string'
      ? { pid, url }
      : undefined;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether a process is alive and runs our command line. A zombie has no command line any more. */
export function isOurs(pid: number): boolean {
  return /bucketwright(?:\.cjs)?(?:\s|$)/.test(commandLineOf(pid));
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch (error) {
    if (process.platform === 'linux') return '';
    if (systemErrorCode(error) !== 'ENOENT') return '';
  }
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // ps answers 1 when there is no such process.
    return '';
  }
}
