import { DAY, HOUR, WEEK } from '../core/durations.ts';
import { documentsOf, Needs, packsOf } from './needs.ts';
import type { Snapshot } from './repository/model.ts';
import { documentKey, packKey, type Repository, snapshotKey } from './repository/repository.ts';

/** How many to keep of each kind, per source; the newest of every source is always kept. */
export interface KeepRules {
  readonly last: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  /** Milliseconds: all that are younger. */
  readonly within: number;
}

export interface Kept {
  readonly snapshot: Snapshot;
  /** Empty: it goes. */
  readonly reasons: readonly string[];
}

/**
 * Which snapshots of one source stay. Pure. A calendar rule keeps the newest of each of the latest so many hours, days,
 * ISO weeks or months (UTC) that have one.
 * @param snapshots of one source, newest first
 */
export function keep(snapshots: readonly Snapshot[], rules: KeepRules, now: number): readonly Kept[] {
  const reasons = snapshots.map((): string[] => []);
  const calendar: readonly [string, number, (time: number) => string][] = [
    ['hourly', rules.hourly, (time) => String(Math.floor(time / HOUR))],
    ['daily', rules.daily, (time) => String(Math.floor(time / DAY))],
    // 1970-01-01 was a Thursday: weeks begin on Monday.
    ['weekly', rules.weekly, (time) => String(Math.floor((time + 3 * DAY) / WEEK))],
    ['monthly', rules.monthly, (time) => new Date(time).toISOString().slice(0, 7)],
  ];
  for (const [index, { time }] of snapshots.entries()) {
    if (index === 0) reasons[index]?.push('newest');
    else if (index < rules.last) reasons[index]?.push('last');
    if (rules.within > 0 && now - time <= rules.within) reasons[index]?.push('within');
  }
  for (const [name, most, of] of calendar) {
    const seen = new Set<string>();
    for (const [index, { time }] of snapshots.entries()) {
      if (seen.size >= most) break;
      if (seen.has(of(time))) continue;
      seen.add(of(time));
      reasons[index]?.push(name);
    }
  }
  return snapshots.map((snapshot, index) => ({ snapshot, reasons: reasons[index] ?? [] }));
}

export interface PrunePlan {
  readonly snapshots: readonly Kept[];
  /** Objects that nothing needs once those are gone. */
  readonly objects: readonly { readonly name: string; readonly size: number }[];
  readonly freed: number;
}

/**
 * Younger than this, what nothing refers to may belong to a snapshot that is being made.
 */
export const GRACE = DAY;

/** @throws BackupError `damaged`: what a snapshot needs is not known then, so that nothing may be removed */
export async function planPrune(repository: Repository, rules: KeepRules, now: number): Promise<PrunePlan> {
  const bySource = new Map<string, Snapshot[]>();
  for await (const snapshot of repository.snapshots()) {
    bySource.set(snapshot.source, [...(bySource.get(snapshot.source) ?? []), snapshot]);
  }
  const snapshots = [...bySource.values()].flatMap((all) => keep(all, rules, now));
  const staying = snapshots.filter(({ reasons }) => reasons.length > 0).map(({ snapshot }) => snapshot);
  const objects = await unneeded(repository, staying, now);
  return { snapshots, objects, freed: objects.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * Snapshots first; then what the snapshots that are there by then do not need: killed anywhere, every listed snapshot has
 * all it needs, and the next prune removes the rest.
 */
export async function applyPrune(repository: Repository, plan: PrunePlan, now: number): Promise<number> {
  for (const { snapshot, reasons } of plan.snapshots) {
    if (reasons.length === 0) await repository.remove(snapshotKey(snapshot));
  }
  const present: Snapshot[] = [];
  for await (const snapshot of repository.snapshots()) present.push(snapshot);
  const objects = await unneeded(repository, present, now);
  for (const { name } of objects) await repository.remove(name);
  return objects.reduce((sum, { size }) => sum + size, 0);
}

async function unneeded(repository: Repository, staying: readonly Snapshot[], now: number) {
  const needs = new Needs(repository);
  const needed = new Set<string>();
  for (const snapshot of staying) {
    for (const { name } of documentsOf(snapshot)) needed.add(documentKey(name));
    for (const name of (await packsOf(snapshot, needs)).keys()) needed.add(packKey(name));
  }
  const objects: { name: string; size: number }[] = [];
  for (const prefix of ['documents/', 'packs/']) {
    for await (const { name, size, modified } of repository.list(prefix)) {
      // A provider that tells no time tells no age: nothing is removed there.
      if (!needed.has(name) && modified !== undefined && now - modified > GRACE) objects.push({ name, size });
    }
  }
  return objects;
}
