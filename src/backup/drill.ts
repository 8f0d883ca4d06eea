import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { formatDuration } from '../core/durations.ts';
import type { Finding } from '../core/finding.ts';
import { formatBytes } from '../core/sizes.ts';
import { BackupError } from './errors.ts';
import type { SourceStore } from './repository/source-store.ts';
import { restore } from './restore.ts';

export interface DrillOptions {
  readonly store: SourceStore;
  readonly scratch: string;
  /** Milliseconds that a restore may take, and that the newest snapshot may be old. */
  readonly rto: number | undefined;
  readonly rpo: number | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** Restores the newest snapshot to scratch space, walks it whole, and says how long that took: the proof that it works. */
export async function* drill(options: DrillOptions): AsyncGenerator<Finding> {
  const { store, clock, rto, rpo } = options;
  const { source } = store;
  const snapshot = await store.newest();
  if (snapshot === undefined) {
    throw new BackupError('no-such-snapshot', `${source} has no snapshot`, {
      subject: source,
      advice: 'bucketwright backup list shows what there is',
    });
  }
  const subject = `${source} ${snapshot.id}`;
  const age = clock.now() - snapshot.time;
  const late = rpo !== undefined && age > rpo;
  yield {
    id: 'age',
    status: late ? 'fail' : 'ok',
    subject,
    found: `${formatDuration(age)} old`,
    ...(rpo === undefined ? {} : { expected: `at most ${formatDuration(rpo)}` }),
    ...(late ? { why: 'what was written since would be lost', advice: 'see why backups do not run' } : {}),
  };
  const target = join(options.scratch, `.bucketwright-${snapshot.id}.drill`);
  const began = performance.now();
  try {
    const restored = await restore({ ...options, snapshot, target, force: true });
    const took = Math.round(performance.now() - began);
    const slow = rto !== undefined && took > rto;
    yield {
      id: 'restore',
      status: slow ? 'fail' : 'ok',
      subject,
      found: `${formatBytes(restored.bytes)} restored and walked in ${formatDuration(took)}, ${restored.requests} requests`,
      ...(rto === undefined ? {} : { expected: `at most ${formatDuration(rto)}` }),
      ...(slow ? { why: 'an outage would last longer than the objective', advice: 'see docs/how-to/backup.md' } : {}),
      milliseconds: took,
    };
  } catch (error) {
    if (!(error instanceof BackupError) || (error.code !== 'damaged' && error.code !== 'structure')) throw error;
    yield {
      id: 'restore',
      status: 'fail',
      subject,
      found: error.message,
      why: 'the newest backup cannot be restored',
      advice: 'run a --full backup now, then backup verify --read-data',
    };
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}
