import { realpathSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostError, systemErrorCode } from '../core/errors.ts';
import { isRunning, pidOf, processIdentity } from '../fs/process-identity.ts';
import { bodyKey, bodyPath, segmentPath } from './body/reference.ts';
import { Segments } from './body/segments.ts';
import type { Index } from './index/database.ts';
import { bucketPrefix as numberKey } from './index/keys.ts';
import { transact } from './index/transact.ts';

/**
 * Who writes into a segment: a process, in this directory. In a copy of the directory, made while that process ran, nobody
 * does.
 */
export function segmentOwner(directory: string, identity: string = processIdentity()): string {
  return `${realpathSync(directory)}\n${identity}`;
}

/** How long processes of a server whose first process was killed may take to notice it and end. */
const PATIENCE_MS = 10_000;

/**
 * A process that still may commit keeps its files: before anything is taken for an orphan, all former owners have to be
 * gone. They end by themselves once the process that held the lock has.
 * @throws HostError `data-directory-held`
 */
export async function waitForFormerOwners(directory: string, index: Index): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  const here = realpathSync(directory);
  for (const { owner } of Segments.open(index)) {
    const [place, identity = ''] = owner.split('\n');
    if (place !== here || identity === processIdentity()) continue;
    // One that cannot be seen from here belonged to a lock whose holder was judged dead.
    while (isRunning(identity) === true) {
      if (Date.now() > deadline) {
        throw new HostError('data-directory-held', `process ${pidOf(identity)} of an earlier server still runs`, {
          subject: directory,
          advice: 'stop that process first',
        });
      }
      await sleep(20);
    }
  }
}

/**
 * After a crash: files that were written but never committed are removed. They can only be in the segments that the dead
 * processes had open, so the work is bounded by what was under way, not by what is stored.
 * @param owner only what this process had open; default: every open segment
 * @returns how many files were removed
 */
export async function removeOrphans(directory: string, index: Index, owner?: string): Promise<number> {
  index.root.resetReadTxn();
  const open = Segments.open(index).filter((one) => owner === undefined || one.owner === owner);
  let removed = 0;
  for (const { segment } of open) {
    for (const name of await filesOf(join(directory, segmentPath(segment)))) {
      const body = { segment, sequence: Number.parseInt(name, 16) };
      index.root.resetReadTxn();
      if (index.files.doesExist(bodyKey(body))) continue;
      await rm(join(directory, bodyPath(body)), { force: true });
      removed += 1;
    }
    await rmdir(join(directory, segmentPath(segment))).catch(() => undefined);
  }
  if (open.length > 0) {
    await transact(index, () => {
      for (const { segment } of open) index.segments.removeSync(numberKey(segment));
    });
  }
  return removed;
}

async function filesOf(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => /^[0-9a-f]{8}$/.test(name));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
