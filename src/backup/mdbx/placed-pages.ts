import { type BlobRef, type Layer, layerSchema, type MdbxContent } from '../repository/model.ts';
import { ZEROS } from '../repository/pieces.ts';
import type { BlobStore, Placed } from '../source/port.ts';
import { PageSet } from './bitmap.ts';
import { pagesIn } from './free-pages.ts';

/** Free pages between others are written as zeros, so many in a row, rather than around. */
const GAP_PAGES = 16;

/**
 * Says for every page that the layers hold which blob's it is: that of the newest layer, and within a layer the last one.
 * Pages that a layer names as free count in none that is older.
 * @param end pages from there on are not in use
 * @throws BackupError `damaged`
 */
export async function placedPages(
  store: Pick<BlobStore, 'document'>,
  layers: MdbxContent['layers'],
  end: number,
): Promise<readonly Placed[]> {
  // What older layers hold of them does not count: newer ones hold them, or they are free.
  const done = new PageSet(end);
  const held = new PageSet(end);
  const newestFirst: { readonly blob: BlobRef; readonly runs: Uint32Array }[] = [];
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
  return newestFirst.reverse().map(({ blob, runs }) => ({ blob, pieces: withGaps(runs, held) }));
}

/** The documents of layers, the newest first; the next is fetched while one is read. */
async function* newestLayers(store: Pick<BlobStore, 'document'>, layers: MdbxContent['layers']): AsyncGenerator<Layer> {
  const fetch = (index: number): Promise<Layer> | undefined => {
    const ref = layers[index];
    const fetched = ref === undefined ? undefined : store.document(ref, layerSchema);
    // It is awaited in its turn; until then a failure must not count as unhandled.
    fetched?.catch(() => undefined);
    return fetched;
  };
  let next = fetch(layers.length - 1);
  for (let index = layers.length - 1; index >= 0; index--) {
    const layer = await next;
    next = fetch(index - 1);
    if (layer !== undefined) yield layer;
  }
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

/** Puts zeros where few pages that no layer holds lie between two runs: then they are one piece of the file. */
function withGaps(runs: Uint32Array, held: PageSet): Uint32Array {
  const pieces: number[] = [];
  let end = 0;
  for (let at = 0; at < runs.length; at += 3) {
    const [page = 0, from = 0, count = 0] = runs.subarray(at, at + 3);
    const gap = page - end;
    if (at > 0 && gap > 0 && gap <= GAP_PAGES && !held.hasAny(end, gap)) pieces.push(end, ZEROS, gap);
    pieces.push(page, from, count);
    end = page + count;
  }
  return Uint32Array.from(pieces);
}
