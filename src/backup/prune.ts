import { DAY } from '../core/durations.ts';
import { type KeepRules, type Kept, keep } from './keep.ts';
import { documentsOf, isDamage, Needs, packsOf } from './needs.ts';
import type { Snapshot } from './repository/model.ts';
import { documentKey, packKey, type SnapshotName } from './repository/names.ts';
import type { SourceStore } from './repository/source-store.ts';

export interface PruneOptions {
  readonly rules: KeepRules;
  /** Milliseconds since 1970: for the rules, and to tell how old an object is. */
  readonly now: number;
  /** Treat a snapshot that cannot be read, or whose documents cannot, as one that goes. */
  readonly dropUnreadable?: boolean | undefined;
}

export interface PrunePlan {
  readonly source: string;
  readonly snapshots: readonly Kept<SnapshotName>[];
  /** Objects that nothing needs once those are gone. */
  readonly objects: readonly { readonly name: string; readonly size: number }[];
  readonly freed: number;
}

/**
 * Younger than this, what nothing refers to may belong to a snapshot that is being made.
 */
export const GRACE = DAY;

/**
 * What the rules leave of one source. Only what stays is read.
 * @throws BackupError `damaged`: what a snapshot needs is not known then, so that nothing may be removed
 */
export async function planPrune(store: SourceStore, options: PruneOptions): Promise<PrunePlan> {
  const { rules, now, dropUnreadable = false } = options;
  const names: SnapshotName[] = [];
  for await (const name of store.names()) names.push(name);
  const readable = dropUnreadable ? await withoutUnreadable(store, names) : names;
  const kept = new Map(keep(readable, rules, now).map((one) => [one.snapshot, one]));
  const snapshots = names.map((snapshot) => kept.get(snapshot) ?? { snapshot, reasons: [] });
  const staying = snapshots.filter(({ reasons }) => reasons.length > 0).map(({ snapshot }) => snapshot);
  const objects = await unneeded(store, staying, now);
  return { source: store.source, snapshots, objects, freed: objects.reduce((sum, { size }) => sum + size, 0) };
}

/**
 * Snapshots first; then what the snapshots that are there by then do not need: killed anywhere, every listed snapshot has
 * all it needs, and the next prune removes the rest.
 * @returns bytes that were freed
 */
export async function applyPrune(store: SourceStore, plan: PrunePlan, now: number): Promise<number> {
  const going = plan.snapshots.filter(({ reasons }) => reasons.length === 0).map(({ snapshot }) => snapshot);
  // The oldest first: the newest of those that go may be what an unseen one builds upon.
  await store.removeAll(going.map(({ key }) => key).reverse());
  const present: SnapshotName[] = [];
  for await (const name of store.names()) present.push(name);
  const objects = await unneeded(store, present, now);
  await store.removeAll(objects.map(({ name }) => name));
  return objects.reduce((sum, { size }) => sum + size, 0);
}

async function unneeded(store: SourceStore, staying: readonly SnapshotName[], now: number) {
  const needs = new Needs(store);
  const needed = new Set<string>();
  for (const name of staying) {
    const snapshot = await store.readSnapshot(name);
    if (snapshot !== undefined) for (const object of await objectsOf(snapshot, needs)) needed.add(object);
  }
  const objects: { name: string; size: number }[] = [];
  for (const prefix of ['documents/', 'packs/']) {
    for await (const { name, size, modified } of store.list(prefix)) {
      // A provider that tells no time tells no age: nothing is removed there.
      if (!needed.has(name) && modified !== undefined && now - modified > GRACE) objects.push({ name, size });
    }
  }
  return objects;
}

/** Names of all that a snapshot needs besides itself. @throws BackupError `damaged` */
export async function objectsOf(snapshot: Snapshot, needs: Needs): Promise<readonly string[]> {
  const packs = [...(await packsOf(snapshot, needs)).keys()];
  return [...documentsOf(snapshot).map(({ name }) => documentKey(name)), ...packs.map(packKey)];
}

async function withoutUnreadable(store: SourceStore, names: readonly SnapshotName[]): Promise<readonly SnapshotName[]> {
  const needs = new Needs(store);
  const readable: SnapshotName[] = [];
  for (const name of names) {
    try {
      const snapshot = await store.readSnapshot(name);
      if (snapshot === undefined) continue;
      await objectsOf(snapshot, needs);
      readable.push(name);
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return readable;
}
