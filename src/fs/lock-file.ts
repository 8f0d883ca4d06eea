import { randomBytes } from 'node:crypto';
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { HostError, systemErrorCode } from '../core/errors.ts';
import { isRunning, pidOf, processIdentity } from './process-identity.ts';

/**
 * One process per directory. The lock names its holder by pid, the process's start time (so a recycled pid does not
 * count) and its pid namespace. A holder in another namespace (a container on a shared volume) cannot be looked up, so
 * it counts as alive while it keeps touching the file.
 */
export interface DirectoryLock {
  release(): Promise<void>;
}

const HEARTBEAT_MS = 1000;
const SILENT_MS = 4000;

/**
 * Takes the lock at `file`, taking over that of a process that has died.
 * @throws HostError `data-directory-held`, naming the holder's pid
 */
export async function takeLock(file: string): Promise<DirectoryLock> {
  const mine = processIdentity();
  const candidate = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(candidate, mine, { flag: 'wx', mode: 0o600 });
  try {
    // Each round either takes the lock or finds it changed by another starter; the bound is for a file system that lies.
    for (let round = 0; round < 1000; round += 1) {
      if (await linked(candidate, file)) return hold(file, mine);
      const found = await readOr(file);
      if (found === undefined) continue;
      if (await alive(file, found)) throw held(file, found);
      await takeAway(file, found);
    }
    throw held(file, await readOr(file));
  } finally {
    await rm(candidate, { force: true });
  }
}

function hold(file: string, mine: string): DirectoryLock {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, HEARTBEAT_MS);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      if ((await readOr(file)) === mine) await rm(file, { force: true });
    },
  };
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a dead holder's lock. One starter at a time may do so, and only while it still is the lock that was judged:
 * a rival's new one must never go.
 */
async function takeAway(file: string, judged: string): Promise<void> {
  const turn = `${file}.takeover`;
  try {
    await writeFile(turn, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    // Removing takes microseconds: an old one was left by a starter that died in between.
    const age = await stat(turn).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > SILENT_MS) await rm(turn, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 5));
    return;
  }
  try {
    if ((await readOr(file)) === judged) await rm(file, { force: true });
  } finally {
    await rm(turn, { force: true });
  }
}

async function alive(file: string, content: string): Promise<boolean> {
  const here = isRunning(content);
  if (here !== 'elsewhere') return here;
  const deadline = Date.now() + SILENT_MS;
  while (Date.now() < deadline) {
    const touched = await stat(file).then(
      (stats) => stats.mtimeMs,
      () => 0,
    );
    if (Date.now() - touched > SILENT_MS) return false;
    if (Date.now() - touched < HEARTBEAT_MS / 2) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return true;
}

async function readOr(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function held(file: string, content: string | undefined): HostError {
  const pid = content === undefined ? undefined : pidOf(content);
  return new HostError('data-directory-held', `the data directory is in use by process ${pid ?? '(unknown)'}`, {
    subject: file,
    advice: 'stop that server first, or give this one another data directory (BUCKETWRIGHT_DATA)',
  });
}
