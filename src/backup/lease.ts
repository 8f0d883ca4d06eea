import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { SECOND } from '../core/durations.ts';
import { isRunning, pidOf, processIdentity } from '../fs/process-identity.ts';
import { BackupError } from './errors.ts';
import type { SourceStore } from './repository/source-store.ts';
import type { StoredObject } from './repository/storage.ts';

/** What keeps two from working on one source at once. Nothing breaks where it fails: work is done twice then. */
export interface Lease {
  /** The provider's time when it was taken, milliseconds since 1970; undefined where it tells none. */
  readonly providerTime: number | undefined;
  release(): Promise<void>;
}

export interface LeaseOptions {
  /** For who is turned away: `backup run`, `prune`. */
  readonly purpose: string;
  /** Milliseconds without a sign of life after which a holder counts as dead. Default 60 s. */
  readonly silence?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const holderSchema = z.object({
  name: z.string(),
  content: z.object({ identity: z.string(), host: z.string(), purpose: z.string(), renewed: z.number() }),
});
type Holder = z.infer<typeof holderSchema>['content'];

const FOLDER = 'leases/';

/**
 * Takes the lease of a source. Every candidate writes an object of its own and then lists: whoever sees another one
 * withdraws. Listing after writing shows what was written, on every provider, so that two can never both see themselves
 * alone; no conditional write is needed. A holder renews its object; one of a dead process of this machine goes at once, and
 * one that shows no life for `silence` by our own clock is taken over: wall clocks are never compared, and no lock is left
 * that needs a person.
 * @throws BackupError `busy`
 */
export async function takeLease(store: SourceStore, options: LeaseOptions): Promise<Lease> {
  const { purpose, silence = 60 * SECOND, signal } = options;
  const mine = `${FOLDER}${randomBytes(8).toString('hex')}`;
  const holder = { identity: processIdentity(), host: hostname(), purpose };
  for (let attempt = 0; attempt <= 5; attempt++) {
    // Most often nobody is there, and the listing after the writing says so.
    if (attempt > 0) await clearDead(store, mine, silence, signal);
    await store.putRecord(mine, { ...holder, renewed: 0 });
    const present = await others(store, undefined);
    const own = present.find(({ name }) => name === mine);
    if (present.length === 1 && own !== undefined) return hold(store, mine, holder, own.modified, silence);
    await store.remove(mine);
    // Both saw each other: the next attempts are at different times.
    await sleep(100 + Math.random() * 400 * (attempt + 1), undefined, { signal });
  }
  throw busy(store, undefined);
}

function hold(
  store: SourceStore,
  mine: string,
  holder: Omit<Holder, 'renewed'>,
  providerTime: number | undefined,
  silence: number,
): Lease {
  let renewed = 0;
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewed += 1;
    // One that fails is repeated by the next; a lost lease costs work, not data.
    writing = store.putRecord(mine, { ...holder, renewed }).catch(() => undefined);
  }, silence / 4);
  timer.unref();
  return {
    providerTime,
    async release() {
      clearInterval(timer);
      await writing;
      await store.remove(mine).catch(() => undefined);
    },
  };
}

/** Removes those of the dead. @throws BackupError `busy` where one lives */
async function clearDead(
  store: SourceStore,
  mine: string,
  silence: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = performance.now() + silence;
  const first = new Map<string, string>();
  for (;;) {
    const present = await others(store, mine);
    for (const object of present) {
      const holder = await readHolder(store, object.name);
      // What another program wrote there tells nothing about its process: it is given its time, too.
      const foreign = holder === undefined || pidOf(holder.identity) === undefined;
      const here = foreign ? 'elsewhere' : isRunning(holder.identity);
      if (here === true) throw busy(store, holder);
      if (here === false) {
        await store.remove(object.name);
        continue;
      }
      const state = `${object.etag} ${object.modified}`;
      const before = first.get(object.name);
      if (before !== undefined && before !== state) throw busy(store, holder);
      first.set(object.name, state);
      if (performance.now() >= deadline) await store.remove(object.name);
    }
    if (present.length === 0) return;
    if (performance.now() < deadline) await sleep(Math.min(silence / 8, 5 * SECOND), undefined, { signal });
  }
}

async function others(store: SourceStore, mine: string | undefined): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = [];
  for await (const object of store.list(FOLDER)) if (object.name !== mine) found.push(object);
  return found;
}

async function readHolder(store: SourceStore, name: string): Promise<Holder | undefined> {
  try {
    return await store.readRecord(name, holderSchema);
  } catch (error) {
    // Whoever wrote it, it is given its time.
    if (error instanceof BackupError) return undefined;
    throw error;
  }
}

function busy({ source }: SourceStore, holder: Holder | undefined): BackupError {
  const who =
    holder === undefined
      ? 'another process'
      : `${holder.purpose} on ${holder.host}, process ${pidOf(holder.identity) ?? 'unknown'},`;
  return new BackupError('busy', `${source}: ${who} is at work on it`, {
    subject: source,
    advice: 'let it finish, or stop it; what a dead one left is taken over by itself',
  });
}
