import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '../core/clock.ts';
import { BackupError } from './errors.ts';
import type { Method } from './mdbx/options.ts';
import { isDamage } from './needs.ts';
import type { Snapshot } from './repository/model.ts';
import { type SnapshotName, snapshotKey } from './repository/names.ts';
import { Packer } from './repository/packer.ts';
import type { SourceStore } from './repository/source-store.ts';
import { openSource } from './source/open.ts';

/** What is backed up. */
export interface Source {
  readonly kind: 'mdbx' | 'directory';
  readonly path: string;
}

export interface RunOptions {
  readonly store: SourceStore;
  readonly source: Source;
  /** A directory for the copy. */
  readonly scratch: string;
  readonly method: Method;
  /** The program, where it is installed. */
  readonly mdbxCopy: string | undefined;
  /** Whole, even where an increment would do. */
  readonly full: boolean;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One snapshot of one source. It appears when all that it needs is stored; killed before, it leaves objects that nothing
 * refers to, which prune removes.
 * @throws BackupError, ClientError
 */
export async function backUp(options: RunOptions): Promise<Snapshot> {
  const { store, source } = options;
  const began = performance.now();
  const name = await store.newestName();
  const before = name === undefined ? undefined : await readable(store, name);
  const packer = new Packer(store);
  const common = {
    version: 1,
    id: randomBytes(8).toString('hex'),
    source: store.source,
    sequence: (name?.sequence ?? -1) + 1,
    host: hostname(),
    path: source.path,
  } as const;
  const finish = async (part: Pick<Snapshot, 'time' | 'method' | 'content' | 'read'>): Promise<Snapshot> => {
    const added = { raw: packer.raw, stored: packer.stored };
    const snapshot = { ...common, ...part, added, took: Math.round(performance.now() - began) };
    await store.putSnapshot(snapshot);
    await stillThere(store, before, snapshot);
    return snapshot;
  };
  const opened = openSource({ ...source, ...options });
  const base = options.full ? undefined : before?.content;
  await using frozen = await opened.freeze({ base, store, signal: options.signal });
  const { method, content, read, time } = await frozen.store(packer);
  return finish({ time, method, content, read });
}

/** A predecessor that cannot be read is none to build upon: this one is stored whole then. */
async function readable(store: SourceStore, name: SnapshotName): Promise<Snapshot | undefined> {
  try {
    return await store.readSnapshot(name);
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/**
 * Prune may have removed what this one builds upon while it was made. Prune lists the snapshots again after it removed
 * some, so that either it has seen this one, or this sees that its predecessor is gone.
 */
async function stillThere(store: SourceStore, before: Snapshot | undefined, made: Snapshot): Promise<void> {
  if (before === undefined || (await store.has(snapshotKey(before)))) return;
  await store.remove(snapshotKey(made));
  throw new BackupError('busy', `${made.source}: the snapshot that this one builds upon was pruned meanwhile`, {
    subject: made.source,
    advice: 'run it again',
  });
}
