import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { formatDuration } from '../core/durations.ts';
import type { Finding } from '../core/finding.ts';
import { formatBytes } from '../core/sizes.ts';
import { BackupError } from './errors.ts';
import { isDamage } from './needs.ts';
import type { Snapshot } from './repository/model.ts';
import { recordKey } from './repository/names.ts';
import type { SourceStore } from './repository/source-store.ts';
import { restore } from './restore.ts';

/** Milliseconds that a restore may take, and that the newest snapshot may be old. */
export interface Objectives {
  readonly rto?: number | undefined;
  readonly rpo?: number | undefined;
}

export interface DrillOptions extends Objectives {
  readonly store: SourceStore;
  readonly scratch: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

const count = z.number().int().min(0);
const recordSchema = z.object({
  name: z.string(),
  content: z.object({
    time: count,
    snapshot: z.string(),
    /** Within the objectives. */
    ok: z.boolean(),
    /** Milliseconds since the snapshot was made. */
    age: z.number(),
    /** Milliseconds, bytes and requests of the restore; absent: it failed. */
    restored: z.object({ took: count, bytes: count, requests: count }).optional(),
    problem: z.string().optional(),
  }),
});
/** What one drill showed. */
export type DrillRecord = z.infer<typeof recordSchema>['content'];

const FOLDER = 'drills';
/** So many of each source are remembered. */
const REMEMBERED = 100;

/**
 * Restores the newest snapshot to scratch space, walks it whole, says how long that took, and records it: the proof that
 * it works.
 * @throws BackupError `no-such-snapshot`; ClientError
 */
export async function* drill(options: DrillOptions): AsyncGenerator<Finding> {
  const { store, clock, rto, rpo } = options;
  const snapshot = await newestOf(store);
  const subject = `${store.source} ${snapshot.id}`;
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
  const trial = await tryRestore(options, snapshot);
  const slow = rto !== undefined && trial.restored !== undefined && trial.restored.took > rto;
  const ok = trial.restored !== undefined && !slow && !late;
  const { restored } = trial;
  const objective = slow ? `it took longer than ${formatDuration(rto)}` : late ? 'the snapshot was too old' : undefined;
  const problem = trial.problem ?? objective;
  await remember(store, { time: clock.now(), snapshot: snapshot.id, ok, age, restored, problem });
  if (restored === undefined) {
    yield {
      id: 'restore',
      status: 'fail',
      subject,
      found: problem ?? 'it failed',
      why: 'the newest backup cannot be restored',
      advice: 'run a --full backup now, then backup verify --read-data',
    };
    return;
  }
  const { bytes, took, requests } = restored;
  yield {
    id: 'restore',
    status: slow ? 'fail' : 'ok',
    subject,
    found: `${formatBytes(bytes)} restored and walked in ${formatDuration(took)}, ${requests} requests`,
    ...(rto === undefined ? {} : { expected: `at most ${formatDuration(rto)}` }),
    ...(slow ? { why: 'an outage would last longer than the objective', advice: 'see docs/how-to/backup.md' } : {}),
    milliseconds: took,
  };
}

async function newestOf(store: SourceStore): Promise<Snapshot> {
  const snapshot = await store.newest();
  if (snapshot !== undefined) return snapshot;
  throw new BackupError('no-such-snapshot', `${store.source} has no snapshot`, {
    subject: store.source,
    advice: 'bucketwright backup list shows what there is',
  });
}

async function tryRestore(
  options: DrillOptions,
  snapshot: Snapshot,
): Promise<Pick<DrillRecord, 'restored' | 'problem'>> {
  const target = join(options.scratch, `.bucketwright-${snapshot.id}-${randomBytes(4).toString('hex')}.drill`);
  try {
    const { bytes, requests, milliseconds } = await restore({
      ...options,
      snapshot,
      target,
      force: false,
      resume: false,
    });
    return { restored: { took: milliseconds, bytes, requests } };
  } catch (error) {
    if (!isDamage(error) && !(error instanceof BackupError && error.code === 'structure')) throw error;
    return { problem: error.message };
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}

async function remember(store: SourceStore, record: DrillRecord): Promise<void> {
  await store.putRecord(recordKey(FOLDER, record.time, randomBytes(8).toString('hex')), record);
  const names: string[] = [];
  for await (const { name } of store.list(`${FOLDER}/`)) names.push(name);
  await store.removeAll(names.slice(REMEMBERED));
}

/** What drills of a source showed, the newest first. What cannot be read is left out. */
export async function* drillHistory(store: SourceStore, most = REMEMBERED): AsyncGenerator<DrillRecord> {
  let told = 0;
  for await (const { name } of store.list(`${FOLDER}/`, most)) {
    if (told === most) return;
    told += 1;
    try {
      const record = await store.readRecord(name, recordSchema);
      if (record !== undefined) yield record;
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
}
