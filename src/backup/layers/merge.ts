import { MiB } from '../../core/sizes.ts';
import { PageSet } from '../mdbx/bitmap.ts';
import { pagesIn, runsOf } from '../mdbx/free-pages.ts';
import { type Layer, type LayerRef, layerSchema, type Segment } from '../repository/model.ts';
import type { SourceStore } from '../repository/source-store.ts';
import { type Merge, type Merged, planMerge } from './plan.ts';
import { pagesOf, type Rewritten, rewrite } from './rewrite.ts';

/**
 * A segment of at least so many bytes, of which so much still counts, is referred to where it lies, if it and others like
 * it are so much of one pack: a pack is a request to whoever restores, however little is read of it.
 */
const LARGE = MiB / 2;
const STILL_GOOD = 0.97;
const OF_A_PACK = 4 * MiB;
/**
 * And into the whole layer goes as it is only what holds so much of the pages between its first and its last: what lies here
 * and there among others would be written page by page whenever all of it is restored.
 */
const DENSE = 0.5;

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
  const { kept, rewritten, pages, free } = divide(documents, { pageSize, bottom });
  const fresh = await rewrite(store, rewritten, { pageSize, end: endOf(documents), signal });
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

/** What stays where it is, and what is written anew; newest first, so that each page is taken once. */
function divide(
  documents: readonly Layer[],
  { pageSize, bottom }: { readonly pageSize: number; readonly bottom: boolean },
) {
  const end = endOf(documents);
  const seen = new PageSet(end);
  const counted = new PageSet(end);
  const all: (Rewritten & { readonly good: boolean })[] = [];
  const goodOfPack = new Map<string, number>();
  const free: number[] = [];
  let pages = 0;
  for (const { segments, free: freed = [] } of documents.toReversed()) {
    for (const segment of segments.toReversed()) {
      const held = pagesOf(segment);
      const counts = held
        .toReversed()
        .map((page) => seen.add(page) && counted.add(page))
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
  const among = bottom ? countBelow(counted) : undefined;
  const stays = ({ segment, counts, good }: (typeof all)[number]) =>
    good &&
    (goodOfPack.get(segment.blob.pack) ?? 0) >= OF_A_PACK &&
    (among === undefined || isDense(segment, counts, among));
  const oldestFirst = all.toReversed();
  return {
    kept: oldestFirst.filter(stays).map(({ segment }) => segment),
    rewritten: oldestFirst.filter((one) => !stays(one)),
    pages,
    free: runsOf(free),
  };
}

/** Of each page number, how many of the pages are below it. */
function countBelow(pages: PageSet): Uint32Array {
  const below = new Uint32Array(pages.capacity + 1);
  for (let page = 0; page < pages.capacity; page++) below[page + 1] = (below[page] ?? 0) + (pages.has(page) ? 1 : 0);
  return below;
}

function isDense({ runs }: Segment, counts: readonly boolean[], below: Uint32Array): boolean {
  const first = Math.min(...runs.map(([page]) => page));
  const after = Math.max(...runs.map(([page, count]) => page + count));
  const all = (below[after] ?? 0) - (below[first] ?? 0);
  return counts.filter(Boolean).length >= all * DENSE;
}

/** One more than the highest page in them. */
export function endOf(documents: readonly Layer[]): number {
  let end = 0;
  for (const { segments } of documents) {
    for (const { runs } of segments) for (const [first, count] of runs) end = Math.max(end, first + count);
  }
  return end;
}
