import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isDamage, Needs } from './needs.ts';
import { objectsOf } from './prune.ts';
import { recordKey } from './repository/names.ts';
import type { SourceStore } from './repository/source-store.ts';

const FOLDER = 'locks';
const AT_ONCE = 8;
const recordSchema = z.object({ name: z.string(), content: z.object({ time: z.number(), objects: z.number() }) });

/**
 * Locks anew what snapshots of a source still need, and what opens the repository, each time that half of the lock's length
 * has passed: an object that a snapshot of today shares with one of a year ago is locked as if it were of today. A lock that
 * is only set at upload runs out under the newest snapshot.
 * @param now milliseconds since 1970
 * @returns how many objects; 0: not due yet, or the repository is without locks
 * @throws ClientError
 */
export async function extendLocks(store: SourceStore, now: number): Promise<number> {
  const { lock } = store.storage.place;
  if (lock === undefined || !(await due(store, now - lock / 2))) return 0;
  const names = new Set<string>();
  const needs = new Needs(store);
  for await (const name of store.names()) {
    names.add(store.subject(name.key));
    try {
      const snapshot = await store.readSnapshot(name);
      if (snapshot === undefined) continue;
      for (const object of await objectsOf(snapshot, needs)) names.add(store.subject(object));
    } catch (error) {
      // What it needs cannot be told; verify tells that it is damaged.
      if (!isDamage(error)) throw error;
    }
  }
  for await (const { name } of store.storage.list('keys/')) names.add(name);
  names.add('config');
  const left = [...names];
  const work = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await store.storage.lock(name, now + lock);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await store.putRecord(recordKey(FOLDER, now, randomBytes(8).toString('hex')), { time: now, objects: names.size });
  return names.size;
}

async function due(store: SourceStore, before: number): Promise<boolean> {
  for await (const { name } of store.list(`${FOLDER}/`, 1)) {
    const record = await store.readRecord(name, recordSchema);
    return record === undefined || record.time <= before;
  }
  // The first snapshots were locked as they were written: from now on it is counted.
  return true;
}
