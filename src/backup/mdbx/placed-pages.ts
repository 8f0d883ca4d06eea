import { ahead, handled } from '../../core/ahead.ts';
import { MiB } from '../../core/sizes.ts';
import { type BlobRef, type Layer, layerSchema, type MdbxContent } from '../repository/model.ts';
import { type Pieces, ZEROS } from '../repository/pieces.ts';
import type { BlobStore, Placed } from '../source/port.ts';
import { PageSet } from './bitmap.ts';
import { pagesIn } from './free-pages.ts';

/** Pages between others that nobody asks for are written along, so many in a row, rather than around. */
const GAP_PAGES = 16;
/**
 * Within so many bytes of the file older layers are written first. So what is written within a short time lies together on the
 * disk, and what newer layers changed here and there is written into the page cache, over the long pieces of older ones.
 */
const REGION = 256 * MiB;

export interface Plan {
  readonly store: Pick<BlobStore, 'document'>;
  readonly layers: MdbxContent['layers'];
  /** Pages from there on are not in use. */
  readonly end: number;
  /** Bytes. */
  readonly pageSize: number;
  /** Whether an earlier attempt wrote this one: it stays, and what comes later must not write over it. */
  isDone(blob: BlobRef): boolean;
}

/** Runs of pages that count: first page of the file, first page of the blob, and how many, one after the other. */
interface Held {
  readonly blob: BlobRef;
  readonly runs: Uint32Array;
}

/**
 * Says for every page that the layers hold which blob's it is: that of the newest layer, and within a layer the last one.
 * Pages that a layer names as free count in none that is older.
 * @returns what is to be written, in this order: a piece may hold old forms of pages that a later one holds
 * @throws BackupError `damaged`
 */
export async function placedPages({ store, layers, end, pageSize, isDone }: Plan): Promise<readonly Placed[]> {
  const held = new PageSet(end);
  const blobs = inOrder(await newestForms(store, layers, held), Math.max(1, REGION / pageSize));
  // What nobody asks for before it is written: pages that no layer holds, and those of later blobs.
  const later = new PageSet(end);
  const placed: Placed[] = [];
  for (const { blob, runs } of blobs.toReversed()) {
    if (isDone(blob)) continue;
    placed.push({ blob, pieces: joined(runs, (page) => !held.has(page) || later.has(page)) });
    for (let at = 0; at < runs.length; at += 3) {
      const [first = 0, count = 0] = [runs[at], runs[at + 2]];
      for (let page = first; page < first + count; page++) later.add(page);
    }
  }
  return placed.reverse();
}

/** Which pages of which blobs count, oldest first. @param held all of them are added to it */
async function newestForms(store: Plan['store'], layers: Plan['layers'], held: PageSet): Promise<readonly Held[]> {
  const end = held.capacity;
  // What older layers hold of them does not count: newer ones hold them, or they are free.
  const done = new PageSet(end);
  const newestFirst: Held[] = [];
  for await (const { segments, free = [] } of newestLayers(store, layers)) {
    for (const { blob, runs } of segments.toReversed()) {
      const counting = new Counting();
      let from = runs.reduce((sum, [, count]) => sum + count, 0);
      for (const [first, count] of runs.toReversed()) {
        from -= count;
        // Older layers may hold pages that are beyond the end since the environment shrank.
        for (let page = Math.min(first + count, end) - 1; page >= first; page--) {
          if (!done.add(page)) continue;
          held.add(page);
          counting.add(page, from + page - first);
        }
      }
      if (counting.length > 0) newestFirst.push({ blob, runs: counting.ascending() });
    }
    for (const page of pagesIn(free)) if (page < end) done.add(page);
  }
  return newestFirst.reverse();
}

/** By the region of the file in which the last page of each lies, and there oldest first. */
function inOrder(oldestFirst: readonly Held[], regionPages: number): readonly Held[] {
  const regionOf = ({ runs }: Held): number => {
    let last = 0;
    for (let at = 0; at < runs.length; at += 3) last = Math.max(last, (runs[at] ?? 0) + (runs[at + 2] ?? 0) - 1);
    return Math.floor(last / regionPages);
  };
  return oldestFirst
    .map((one) => ({ one, region: regionOf(one) }))
    .sort((a, b) => a.region - b.region)
    .map(({ one }) => one);
}

/** Documents that are fetched ahead. */
const DOCUMENTS = 8;

/** The documents of layers, the newest first. */
async function* newestLayers(store: Plan['store'], layers: Plan['layers']): AsyncGenerator<Layer> {
  const fetching = function* () {
    for (const ref of layers.toReversed()) yield { layer: handled(store.document(ref, layerSchema)) };
  };
  for await (const { layer } of ahead(fetching(), DOCUMENTS)) yield await layer;
}

/** Pages of a blob that count, given from its end to its beginning, as runs. */
class Counting {
  /** Triples: first page of the file, first page of the blob, how many; the last run comes first. */
  readonly #runs: number[] = [];

  get length(): number {
    return this.#runs.length;
  }

  add(page: number, from: number): void {
    const last = this.#runs.length - 3;
    if (last >= 0 && this.#runs[last] === page + 1 && this.#runs[last + 1] === from + 1) {
      this.#runs[last] = page;
      this.#runs[last + 1] = from;
      this.#runs[last + 2] = (this.#runs[last + 2] ?? 0) + 1;
    } else this.#runs.push(page, from, 1);
  }

  ascending(): Uint32Array {
    const runs = new Uint32Array(this.#runs.length);
    for (let at = 0; at < runs.length; at += 3) runs.set(this.#runs.slice(runs.length - at - 3, runs.length - at), at);
    return runs;
  }
}

/** Joins runs that have only few pages between them, which nobody asks for, to one piece of the file. */
function joined(runs: Uint32Array, isFree: (page: number) => boolean): Pieces {
  const pieces: number[] = [];
  for (let at = 0; at < runs.length; at += 3) {
    const [page = 0, from = 0, count = 0] = runs.subarray(at, at + 3);
    const last = pieces.length - 3;
    const end = (pieces[last] ?? 0) + (pieces[last + 2] ?? 0);
    const gap = page - end;
    if (last < 0 || gap < 0 || gap > GAP_PAGES || !areAll(end, page, isFree)) pieces.push(page, from, count);
    else if (from === (pieces[last + 1] ?? 0) + (pieces[last + 2] ?? 0) + gap) {
      // The blob holds something for what lies between: old forms, or what is of no use at all.
      pieces[last + 2] = (pieces[last + 2] ?? 0) + gap + count;
    } else if (gap === 0) pieces.push(page, from, count);
    else pieces.push(end, ZEROS, gap, page, from, count);
  }
  return Uint32Array.from(pieces);
}

function areAll(first: number, end: number, isFree: (page: number) => boolean): boolean {
  for (let page = first; page < end; page++) if (!isFree(page)) return false;
  return true;
}
