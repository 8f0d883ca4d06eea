import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { BackupError } from './errors.ts';
import { betweenHooks, type Hooks } from './hooks.ts';
import { type Merger, mergeFirst } from './layers/merger.ts';
import { isDamage } from './needs.ts';
import type { Snapshot } from './repository/model.ts';
import { type SnapshotName, snapshotKey } from './repository/names.ts';
import { Packer } from './repository/packer.ts';
import type { SourceStore } from './repository/source-store.ts';
import type { Content, Frozen, SnapshotSource, Stored } from './source/port.ts';

/** One source of a set, and where its snapshots go. */
export interface Member {
  readonly store: SourceStore;
  readonly source: SnapshotSource;
  /** For people: where it is on this host. */
  readonly path: string;
  /** Gives what to build upon. Default: what is due is merged first. */
  readonly merger?: Merger | undefined;
}

export interface BackUpOptions {
  readonly members: readonly Member[];
  /** Of the set; undefined: a source alone. */
  readonly name: string | undefined;
  readonly hooks: Hooks;
  /** Whole, even where an increment would do. */
  readonly full: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One snapshot of each source, between the same hooks. They appear when all that they need is stored; killed before, there
 * are objects that nothing refers to, which prune removes.
 * @throws BackupError, ClientError
 */
export async function backUp(options: BackUpOptions): Promise<readonly Snapshot[]> {
  const { members, hooks, signal } = options;
  const running: Running[] = [];
  for (const member of members) running.push(await begin(member, options));
  await betweenHooks(hooks, async (resume) => {
    try {
      for (const one of running) await one.freeze(signal);
      if (running.every(({ frozen }) => frozen)) await resume();
      for (const one of running) await one.read();
    } finally {
      for (const one of running) await one.release();
    }
  });
  const id = randomBytes(8).toString('hex');
  const sources = members.map(({ store }) => store.source);
  const set = options.name === undefined ? undefined : { name: options.name, id, sources };
  const snapshots: Snapshot[] = [];
  for (const one of running) snapshots.push(await one.publish(set));
  return snapshots;
}

interface Running {
  readonly frozen: boolean;
  freeze(signal: AbortSignal | undefined): Promise<void>;
  read(): Promise<void>;
  release(): Promise<void>;
  publish(set: Snapshot['set']): Promise<Snapshot>;
}

async function begin({ store, source, path, merger }: Member, options: BackUpOptions): Promise<Running> {
  const began = performance.now();
  const name = await store.newestName();
  const before = name === undefined ? undefined : await readable(store, name);
  const base = await baseOf(store, before, merger ?? mergeFirst, options);
  const packer = new Packer(store);
  let frozen: Frozen | undefined;
  let stored: Stored | undefined;
  return {
    get frozen() {
      return frozen?.frozen === true;
    },
    async freeze(signal) {
      frozen = await source.freeze({ base, store, signal });
    },
    async read() {
      stored = await frozen?.store(packer);
    },
    async release() {
      await frozen?.[Symbol.asyncDispose]();
    },
    async publish(set) {
      if (stored === undefined) throw new TypeError('published before it was read');
      const snapshot: Snapshot = {
        version: 1,
        id: randomBytes(8).toString('hex'),
        source: store.source,
        sequence: (name?.sequence ?? -1) + 1,
        ...(set === undefined ? {} : { set }),
        host: hostname(),
        path,
        time: stored.time,
        method: stored.method,
        content: stored.content,
        read: stored.read,
        added: { raw: packer.raw, stored: packer.stored },
        took: Math.round(performance.now() - began),
      };
      await store.putSnapshot(snapshot);
      await stillThere(store, before, snapshot);
      return snapshot;
    },
  };
}

async function baseOf(
  store: SourceStore,
  before: Snapshot | undefined,
  merger: Merger,
  { full, signal }: BackUpOptions,
): Promise<Content | undefined> {
  if (full || before === undefined) return undefined;
  return before.content.kind === 'mdbx' ? merger(store, before.content, signal) : before.content;
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
