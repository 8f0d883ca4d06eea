import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { MiB } from '../core/sizes.ts';
import { storeTree } from './directory/store.ts';
import { BackupError } from './errors.ts';
import type { Base, Captured } from './mdbx/capture.ts';
import { captureBy, type Method, type UsedMethod } from './mdbx/methods.ts';
import { isDamage } from './needs.ts';
import type { LayerRef, Segment, Snapshot } from './repository/model.ts';
import { type SnapshotName, snapshotKey } from './repository/names.ts';
import { Packer } from './repository/packer.ts';
import type { SourceStore } from './repository/source-store.ts';

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

const SEGMENT_BYTES = MiB;

/**
 * One snapshot of one source. It appears when all that it needs is stored; killed before, it leaves objects that nothing
 * refers to, which prune removes.
 * @throws BackupError, ClientError
 */
export async function backUp(options: RunOptions): Promise<Snapshot> {
  const { store, source, clock } = options;
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
  if (source.kind === 'directory') {
    const time = clock.now();
    const { tree, read } = await storeTree(source.path, packer, store, before, options.signal);
    return finish({ time, method: 'files', content: { kind: 'directory', tree }, read });
  }
  const base = options.full ? undefined : baseOf(before);
  const scratch = join(options.scratch, `.bucketwright-${common.id}.copy`);
  try {
    const { captured, method } = await captureBy({ ...options, path: source.path, scratch, base });
    try {
      const time = clock.now();
      const layer = await storePages(captured, packer, store, options.signal);
      const layers = captured.base === undefined ? [layer] : [...layersOf(before), layer];
      return await finish({
        time,
        method,
        content: await mdbxContent(captured, layers, source.path),
        read: captured.bytesRead,
      });
    } finally {
      captured.close();
    }
  } finally {
    await rm(scratch, { force: true });
  }
}

async function mdbxContent(captured: Captured, layers: readonly LayerRef[], path: string) {
  const { meta } = captured;
  return {
    kind: 'mdbx' as const,
    txnid: meta.txnid,
    pageSize: meta.pageSize,
    meta: meta.bytes.toString('base64'),
    slot: meta.slot,
    environmentId: meta.environmentId,
    file: captured.identity,
    subdirectory: (await stat(path)).isDirectory(),
    layers: [...layers],
  };
}

async function storePages(
  captured: Captured,
  packer: Packer,
  store: SourceStore,
  signal: AbortSignal | undefined,
): Promise<LayerRef> {
  const { pageSize } = captured.meta;
  const most = Math.max(1, Math.floor(SEGMENT_BYTES / pageSize));
  const segments: Segment[] = [];
  let [runs, parts, pages]: [[number, number][], Buffer[], number] = [[], [], 0];
  const flush = async () => {
    if (pages === 0) return;
    segments.push({ runs, blob: await packer.add(Buffer.concat(parts)) });
    [runs, parts, pages] = [[], [], 0];
    signal?.throwIfAborted();
  };
  for (const { first, count } of captured.pages.runs(most)) {
    if (pages + count > most) await flush();
    runs.push([first, count]);
    parts.push(captured.read(first, count));
    pages += count;
  }
  await flush();
  await packer.finish();
  const stored = segments.reduce((sum, { blob }) => sum + blob.length, 0);
  return {
    ...(await store.putDocument('layer', { version: 1, segments })),
    level: 0,
    pages: captured.pages.size,
    stored,
  };
}

function layersOf(snapshot: Snapshot | undefined): readonly LayerRef[] {
  return snapshot?.content.kind === 'mdbx' ? snapshot.content.layers : [];
}

function baseOf(snapshot: Snapshot | undefined): Base | undefined {
  if (snapshot?.content.kind !== 'mdbx') return undefined;
  const { txnid, environmentId, file } = snapshot.content;
  return { txnid, environmentId, file };
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

export type { Method, UsedMethod };
