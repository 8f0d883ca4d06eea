import { BackupError } from './errors.ts';
import type { Snapshot } from './repository/model.ts';
import type { Repository } from './repository/repository.ts';
import type { SourceStore } from './repository/source-store.ts';

/** How far back each source is searched. */
const SEARCHED = 100;

/**
 * The newest snapshots of a set that were all made between the same hooks: one that was interrupted while it was stored is
 * passed over.
 * @param at milliseconds: not younger
 * @throws BackupError `no-such-snapshot`, `damaged`
 */
export async function findSet(repository: Repository, name: string, at?: number): Promise<readonly Snapshot[]> {
  for (const store of await repository.sources()) {
    for await (const snapshot of someOf(store)) {
      if (snapshot.set?.name !== name || (at !== undefined && snapshot.time > at)) continue;
      const { id, sources } = snapshot.set;
      const members = await Promise.all(sources.map((source) => memberOf(repository.source(source), id)));
      const found = members.filter((member) => member !== undefined);
      if (found.length === members.length) return found;
    }
  }
  throw new BackupError('no-such-snapshot', `there is no set ${name} with a snapshot of each of its sources`, {
    subject: name,
    advice: 'bucketwright backup list --json shows what was stored together',
  });
}

async function memberOf(store: SourceStore, id: string): Promise<Snapshot | undefined> {
  for await (const snapshot of someOf(store)) if (snapshot.set?.id === id) return snapshot;
  return undefined;
}

async function* someOf(store: SourceStore): AsyncGenerator<Snapshot> {
  let seen = 0;
  for await (const name of store.names()) {
    if (seen === SEARCHED) return;
    seen += 1;
    const snapshot = await store.readSnapshot(name);
    if (snapshot !== undefined) yield snapshot;
  }
}
