import { MiB } from '../../core/sizes.ts';
import { PageSet } from '../mdbx/bitmap.ts';
import { pagesIn, runsOf } from '../mdbx/free-pages.ts';
import { SegmentWriter } from '../mdbx/segments.ts';
import { type Layer, type LayerRef, layerSchema, type Segment } from '../repository/model.ts';
import { Packer } from '../repository/packer.ts';
import { WHOLE_PACKS } from '../repository/reader.ts';
import type { SourceStore } from '../repository/source-store.ts';
import type { Wanted } from '../source/port.ts';
import { type Merge, type Merged, planMerge } from './plan.ts';

/**
 * A segment of at least so many bytes, of which so much still counts, is referred to where it lies, if it and others like
 * it are so much of one pack: a pack is a request to whoever restores, however little is read of it.
 */
const LARGE = MiB / 2;
const STILL_GOOD = 0.9;
const OF_A_PACK = 4 * MiB;

/**
 * Makes one layer of neighbouring ones, from the repository alone: the source is not read. It is there when nothing refers
 * to it yet; the next snapshot does. Killed before, it leaves objects that prune removes.
 * @param bottom whether nothing is older than they are: then nobody needs to know what is free
 * @throws BackupError `damaged`
 */
export async function mergeLayers(
  store: SourceStore,
  layers: readonly LayerRef[],
  { pageSize, bottom }: { readonly pageSize: number; readonly bottom: boolean },
  signal?: AbortSignal,
): Promise<Merged> {
  const documents: Layer[] = [];
  for (const ref of layers) documents.push(await store.readDocument('layer', ref, layerSchema));
  const { kept, rewritten, pages, free } = divide(documents, pageSize);
  const fresh = await rewrite(store, rewritten, pageSize, signal);
  // What lies where it was comes first: its pages that count no more are written over.
  const segments = [...kept, ...fresh];
  const { name, bytes } = await store.putDocument('layer', {
    version: 1,
    segments,
    ...(!bottom && free.length > 0 && { free }),
  });
  const level = Math.max(...layers.map((layer) => layer.level)) + 1;
  const stored = segments.reduce((sum, { blob }) => sum + blob.length, 0);
  return { names: layers.map((layer) => layer.name), by: { name, bytes, level, pages, stored } };
}

/** The merge that is due, done; undefined: none is. @throws BackupError `damaged` */
export async function mergeDue(
  store: SourceStore,
  { layers, pageSize }: { readonly layers: readonly LayerRef[]; readonly pageSize: number },
  signal?: AbortSignal,
  plan: Merge | undefined = planMerge(layers),
): Promise<Merged | undefined> {
  if (plan === undefined) return undefined;
  const bottom = plan.from === 0;
  const some = layers.slice(plan.from, plan.from + plan.count);
  const merged = await mergeLayers(store, some, { pageSize, bottom }, signal);
  // A new whole layer is the bottom, whatever it was made of.
  return bottom ? { ...merged, by: { ...merged.by, level: 0 } } : merged;
}

interface Rewritten {
  readonly segment: Segment;
  /** Whether the page at this place of the segment counts. */
  readonly counts: readonly boolean[];
}

/** What stays where it is, and what is written anew; newest first, so that each page is taken once. */
function divide(documents: readonly Layer[], pageSize: number) {
  const seen = new PageSet(endOf(documents));
  const all: (Rewritten & { readonly good: boolean })[] = [];
  const goodOfPack = new Map<string, number>();
  const free: number[] = [];
  let pages = 0;
  for (const { segments, free: freed = [] } of documents.toReversed()) {
    for (const segment of segments.toReversed()) {
      const held = pagesOf(segment);
      const counts = held
        .toReversed()
        .map((page) => seen.add(page))
        .reverse();
      const counting = counts.filter(Boolean).length;
      if (counting === 0) continue;
      pages += counting;
      const good = held.length * pageSize >= LARGE && counting >= held.length * STILL_GOOD;
      const { pack, length } = segment.blob;
      if (good) goodOfPack.set(pack, (goodOfPack.get(pack) ?? 0) + length);
      all.push({ segment, counts, good });
    }
    // What is older of them counts no more. Those that this layer or a newer one wrote are in use again.
    for (const page of pagesIn(freed)) if (page < seen.capacity && seen.add(page)) free.push(page);
  }
  const stays = ({ segment, good }: (typeof all)[number]) =>
    good && (goodOfPack.get(segment.blob.pack) ?? 0) >= OF_A_PACK;
  const oldestFirst = all.toReversed();
  return {
    kept: oldestFirst.filter(stays).map(({ segment }) => segment),
    rewritten: oldestFirst.filter((one) => !stays(one)),
    pages,
    free: runsOf(free),
  };
}

async function rewrite(
  store: SourceStore,
  wanted: readonly Rewritten[],
  pageSize: number,
  signal: AbortSignal | undefined,
): Promise<readonly Segment[]> {
  const packer = new Packer(store);
  const writer = new SegmentWriter(packer, pageSize);
  const blobs: Wanted<Rewritten>[] = wanted.map((what) => ({ blob: what.segment.blob, what }));
  for await (const { what, bytes } of store.blobs(blobs, WHOLE_PACKS)) {
    signal?.throwIfAborted();
    const pages = pagesOf(what.segment);
    for (const [at, page] of pages.entries()) {
      if (what.counts[at] === true) await writer.put(page, bytes.subarray(at * pageSize, (at + 1) * pageSize));
    }
  }
  const segments = await writer.finish();
  await packer.finish();
  return segments;
}

const pagesOf = ({ runs }: Segment): number[] =>
  runs.flatMap(([first, count]) => Array.from({ length: count }, (_, index) => first + index));

/** One more than the highest page in them. */
export function endOf(documents: readonly Layer[]): number {
  let end = 0;
  for (const { segments } of documents) {
    for (const { runs } of segments) for (const [first, count] of runs) end = Math.max(end, first + count);
  }
  return end;
}
