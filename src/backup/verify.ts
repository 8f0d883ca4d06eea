import type { Finding } from '../core/finding.ts';
import { documentsOf, isDamage, Needs, packsOf } from './needs.ts';
import type { BlobRef, Snapshot } from './repository/model.ts';
import { packKey } from './repository/names.ts';
import { type SourceStore, sha256 } from './repository/source-store.ts';

export interface VerifyOptions {
  readonly store: SourceStore;
  /** The share of packs to read back, 0 to 1. */
  readonly share: number;
  /** Which packs, for a share below 1: another number reads others. */
  readonly turn: number;
}

const WHY = 'a snapshot that needs it cannot be restored whole';
const ADVICE = 'restore what is needed from a snapshot that is whole, and run a --full backup now';

/**
 * Checks that every snapshot has all it needs, from the manifests and one listing; with a share above 0 it reads packs back
 * and holds them to their names, and every blob to its hash.
 */
export async function* verify({ store, share, turn }: VerifyOptions): AsyncGenerator<Finding> {
  const snapshots: Snapshot[] = [];
  const damaged: Finding[] = [];
  for await (const snapshot of store.snapshots((error) => {
    damaged.push(fail('snapshot-readable', error.subject ?? 'snapshot', error.message));
  })) {
    snapshots.push(snapshot);
  }
  yield* damaged;
  const sizes = new Map<string, number>();
  for await (const { name, size } of store.list('packs/')) sizes.set(name, size);
  const needs = new Needs(store);
  const blobs = new Map<string, Map<number, BlobRef>>();
  const users = new Map<string, string>();
  for (const snapshot of snapshots) {
    const subject = `${snapshot.source} ${snapshot.id}`;
    try {
      const packs = await packsOf(snapshot, needs);
      const missing = [...packs].filter(([name, end]) => (sizes.get(packKey(name)) ?? 0) < end);
      for (const [name] of missing) {
        const found = sizes.has(packKey(name)) ? 'is truncated' : 'is missing';
        yield fail('snapshot-whole', subject, `${packKey(name)} ${found}`);
      }
      if (missing.length === 0) {
        yield { id: 'snapshot-whole', status: 'ok', subject, found: `${packs.size} packs are there` };
      }
      for (const name of packs.keys()) users.set(name, subject);
      for (const ref of documentsOf(snapshot)) {
        for (const blob of await needs.blobs(ref, snapshot.content.kind)) {
          const known = blobs.get(blob.pack) ?? new Map<number, BlobRef>();
          blobs.set(blob.pack, known.set(blob.offset, blob));
        }
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      yield fail('snapshot-whole', subject, error.message);
    }
  }
  if (share > 0) yield* readBack(store, blobs, sizes, users, share, turn);
}

async function* readBack(
  store: SourceStore,
  blobs: ReadonlyMap<string, ReadonlyMap<number, BlobRef>>,
  sizes: ReadonlyMap<string, number>,
  users: ReadonlyMap<string, string>,
  share: number,
  turn: number,
): AsyncGenerator<Finding> {
  // Every share-th pack, another one each turn: so many turns read all.
  const every = Math.max(1, Math.round(1 / share));
  let read = 0;
  for (const [index, name] of [...blobs.keys()].sort().entries()) {
    const size = sizes.get(packKey(name));
    if (size === undefined || index % every !== turn % every) continue;
    try {
      const bytes = await store.readPack(name, 0, size);
      if (sha256(bytes) !== name) {
        yield fail('pack-bytes', packKey(name), `its bytes differ from its name; ${users.get(name)} needs it`);
        continue;
      }
      for (const blob of blobs.get(name)?.values() ?? []) {
        await store.openBlob(blob, bytes.subarray(blob.offset, blob.offset + blob.length));
      }
      read += 1;
    } catch (error) {
      if (!isDamage(error)) throw error;
      yield fail('pack-bytes', packKey(name), `${error.message}; ${users.get(name)} needs it`);
    }
  }
  yield { id: 'packs-read', status: 'ok', subject: 'packs', found: `${read} of ${blobs.size} read back and whole` };
}

function fail(id: string, subject: string, found: string): Finding {
  return { id, status: 'fail', subject, found, why: WHY, advice: ADVICE };
}
