import type { LayerRef } from '../repository/model.ts';

/**
 * So many layers of one level become one of the next: a restore reads at most two of each level. Three, since a run that
 * merges them asks for eight objects more, and stays within 20 requests with that.
 */
export const FAN = 3;
/** The increments are folded into the whole layer once they hold more than this share of its pages. */
const FOLD = 1 / 5;

/** Neighbouring layers to make one of, by their place in the list. */
export interface Merge {
  readonly from: number;
  readonly count: number;
}

/**
 * What to merge next, or undefined. Pure. As log-structured stores do: each page is written again once a level, so that
 * 10,000 increments are at most 2 layers of each of 9 levels; and what a restore reads besides the whole layer is little more
 * than a fifth of it. Never more than three layers at a time, which bounds the requests of a run that merges: where there
 * are more to fold, they are made fewer first.
 * @param layers oldest first; the first holds the whole environment
 */
export function planMerge(layers: readonly Pick<LayerRef, 'level' | 'pages'>[]): Merge | undefined {
  const [whole, ...increments] = layers;
  if (whole === undefined) return undefined;
  const pages = increments.reduce((sum, layer) => sum + layer.pages, 0);
  if (pages > whole.pages * FOLD) {
    if (increments.length >= FAN) return { from: 1, count: FAN };
    // One that was merged already, and at most one since: the whole layer is not written again for each large increment.
    return (increments[0]?.level ?? 0) > 0 ? { from: 0, count: layers.length } : undefined;
  }
  for (let from = 1, at = 2; at <= layers.length; at++) {
    if (layers[at]?.level === layers[from]?.level) {
      if (at - from + 1 === FAN) return { from, count: FAN };
    } else from = at;
  }
  return undefined;
}

/** Layers that were made one. */
export interface Merged {
  readonly names: readonly string[];
  readonly by: LayerRef;
}

/** The list with what was merged in the place of what it was made of, where that still is there. Pure. */
export function applyMerged(layers: readonly LayerRef[], { names, by }: Merged): readonly LayerRef[] {
  const from = layers.findIndex((_, index) => names.every((name, at) => layers[index + at]?.name === name));
  return from < 0 ? layers : [...layers.slice(0, from), by, ...layers.slice(from + names.length)];
}
