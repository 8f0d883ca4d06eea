import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { HOUR, MINUTE, SECOND } from '../../core/durations.ts';
import { drill, drillHistory } from '../drill.ts';
import { BackupError } from '../errors.ts';
import { MergeBeside } from '../layers/merger.ts';
import { type Lease, takeLease } from '../lease.ts';
import { extendLocks } from '../lock.ts';
import { applyPrune, planPrune } from '../prune.ts';
import type { Snapshot } from '../repository/model.ts';
import type { Repository } from '../repository/repository.ts';
import type { SourceStore } from '../repository/source-store.ts';
import { backUp, type Member } from '../set.ts';
import { openSource } from '../source/open.ts';
import { statusOf } from '../status.ts';
import { verify } from '../verify.ts';
import type { BackupMetrics } from './metrics.ts';
import { type DaemonPlan, keepRulesOf, type SetPlan } from './plan.ts';
import { repeat } from './schedule.ts';

/** What happens, for whoever watches. */
export interface DaemonEvents {
  stored(snapshot: Snapshot): void;
  /** A line for people. */
  said(text: string): void;
  failed(subject: string, error: unknown): void;
}

export interface DaemonOptions {
  readonly repository: Repository;
  readonly plan: DaemonPlan;
  /** A directory for copies and drills. */
  readonly scratch: string;
  readonly mdbxCopy: string | undefined;
  readonly clock: Clock;
  readonly metrics: BackupMetrics;
  readonly events: DaemonEvents;
  /** Begin nothing new; and stop what is under way. */
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
  /** Milliseconds after which a silent holder of a lease is taken for dead. Default 60 s. */
  readonly silence?: number | undefined;
}

/** Runs the plan until `stop`: each set on its own, so that one that fails holds up no other. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  await Promise.all(options.plan.sets.map((set) => superviseSet(set, options)));
}

/**
 * Runs each set once, for cron.
 * @returns how many failed
 */
export async function runSetsOnce(options: DaemonOptions): Promise<number> {
  const { repository, plan, events, metrics, clock, stop } = options;
  let failures = 0;
  for (const set of plan.sets) {
    if (stop.aborted) break;
    const stores = set.sources.map(({ name }) => repository.source(name));
    const leases: Lease[] = [];
    try {
      for (const store of stores) leases.push(await takeLease(store, { purpose: 'backup run', signal: stop }));
      await runOnce(set, stores, [], options);
      for (const store of stores) await extendLocks(store, clock.now());
    } catch (error) {
      failures += 1;
      for (const { source } of stores) metrics.failed(source, 'run');
      events.failed(set.name, error);
    } finally {
      for (const lease of leases) await lease.release();
    }
  }
  return failures;
}

/** Whoever has the leases works; another daemon on the same sources stands by, and takes over when the first is gone. */
async function superviseSet(set: SetPlan, options: DaemonOptions): Promise<void> {
  const { repository, metrics, events, stop, silence = 60 * SECOND } = options;
  const stores = set.sources.map(({ name }) => repository.source(name));
  let waiting = false;
  const standby = (is: boolean) => {
    for (const { source } of stores) metrics.standby(source, is);
    waiting = is;
  };
  while (!stop.aborted) {
    const leases: Lease[] = [];
    try {
      for (const store of stores) {
        leases.push(await takeLease(store, { purpose: 'backup daemon', silence, signal: stop }));
      }
      if (waiting) events.said(`${set.name}: taking over`);
      standby(false);
      await work(set, stores, options);
    } catch (error) {
      if (stop.aborted) return;
      const held = error instanceof BackupError && error.code === 'busy';
      if (!held || !waiting) events.failed(set.name, error);
      if (held) standby(true);
      else for (const { source } of stores) metrics.failed(source, 'start');
      await sleep(silence / 4, undefined, { signal: stop }).catch(() => undefined);
    } finally {
      for (const lease of leases) await lease.release();
    }
  }
}

async function work(set: SetPlan, stores: readonly SourceStore[], options: DaemonOptions): Promise<void> {
  const { repository, plan, metrics, events, clock, stop, abort } = options;
  for (const store of stores) {
    metrics.objectives(store.source, { ...set, drillEvery: plan.drill?.every });
    metrics.status(await statusOf(store));
  }
  // Prune and runs take turns: what a run has stored and not referred to yet must not go.
  const turns = new Turns();
  const merging = stores.map(() => new MergeBeside());
  const failed = (task: string) => (error: unknown) => {
    for (const { source } of stores) metrics.failed(source, task);
    events.failed(`${set.name}: ${task}`, error);
  };
  const tasks = [
    repeat({
      every: set.every,
      first: 0,
      task: () => turns.take(() => runOnce(set, stores, merging, options)),
      failed: failed('run'),
      stop,
    }),
  ];
  // Whether anything prunes or not: no lock may run out under what is still needed.
  if (repository.storage.place.lock !== undefined) {
    const task = async () => {
      for (const store of stores) await turns.take(() => extendLocks(store, clock.now()));
    };
    tasks.push(repeat({ every: HOUR, first: 0, task, failed: failed('lock'), stop }));
  }
  if (plan.prune !== undefined) {
    const rules = keepRulesOf(plan.prune.keep);
    const task = async () => {
      for (const store of stores) {
        await turns.take(async () => {
          const now = clock.now();
          await applyPrune(store, await planPrune(store, { rules, now }), now);
          metrics.status(await statusOf(store));
        });
      }
    };
    tasks.push(repeat({ every: plan.prune.every, first: MINUTE, task, failed: failed('prune'), stop }));
  }
  if (plan.verify !== undefined) {
    const { every, share } = plan.verify;
    let turn = Math.floor(clock.now() / every);
    const task = async () => {
      for (const store of stores) {
        for await (const finding of verify({ store, share, turn })) {
          if (finding.status !== 'fail') continue;
          metrics.failed(store.source, 'verify');
          events.said(`${finding.subject}: ${finding.found}; ${finding.advice ?? ''}`);
        }
      }
      turn += 1;
    };
    tasks.push(repeat({ every, first: Math.min(every, HOUR), task, failed: failed('verify'), stop }));
  }
  if (plan.drill !== undefined) {
    const { every } = plan.drill;
    for (const store of stores) {
      const task = () => drillOnce(store, set, options);
      tasks.push(repeat({ every, first: await untilDrill(store, every, clock), task, failed: failed('drill'), stop }));
    }
  }
  await Promise.all(tasks);
  if (abort.aborted) return;
  for (const one of merging) await one.settled();
}

async function runOnce(
  set: SetPlan,
  stores: readonly SourceStore[],
  merging: readonly MergeBeside[],
  options: DaemonOptions,
): Promise<void> {
  const { metrics, events, abort } = options;
  const members = set.sources.map(({ kind, path, method }, index): Member => {
    const source = openSource({ ...options, kind, path, method });
    return { store: storeAt(stores, index), source, path, merger: merging[index]?.merger };
  });
  const snapshots = await backUp({
    members,
    name: stores.length > 1 ? set.name : undefined,
    hooks: { before: set.before, after: set.after, limit: set.hook_limit },
    full: false,
    signal: abort,
  });
  for (const [index, snapshot] of snapshots.entries()) {
    metrics.stored(snapshot);
    events.stored(snapshot);
    if (snapshot.content.kind === 'mdbx') merging[index]?.begin(storeAt(stores, index), snapshot.content, abort);
  }
}

async function drillOnce(store: SourceStore, set: SetPlan, options: DaemonOptions): Promise<void> {
  const { scratch, clock, abort, events, metrics } = options;
  // The first snapshot is still being made: there is nothing to prove yet.
  if ((await store.newestName()) === undefined) return;
  for await (const finding of drill({ store, scratch, clock, signal: abort, rpo: set.rpo, rto: set.rto })) {
    events.said(`drill: ${finding.subject}: ${finding.found}${finding.status === 'fail' ? ' (FAILED)' : ''}`);
  }
  for await (const record of drillHistory(store, 1)) metrics.drilled(store.source, record);
}

/** A restart is no reason for another drill. */
async function untilDrill(store: SourceStore, every: number, clock: Clock): Promise<number> {
  for await (const { time } of drillHistory(store, 1)) return Math.min(every, Math.max(0, time + every - clock.now()));
  return Math.min(every, 10 * MINUTE);
}

function storeAt(stores: readonly SourceStore[], index: number): SourceStore {
  const store = stores[index];
  if (store === undefined) throw new RangeError(`no store ${index}`);
  return store;
}

/** One at a time, in the order of asking. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
