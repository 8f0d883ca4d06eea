import type { LayerRef } from '../repository/model.ts';

/** So many layers of one level become one of the next: a restore reads at most three of each level. */
export const FAN = 4;
/** The increments are folded into the whole layer once they hold more than this share of its pages. */
const FOLD = 1 / 4;

/** Neighbouring layers to make one of, by their place in the list. */
export interface Merge {
  readonly from: number;
  readonly count: number;
}

/**
 * What to merge next, or undefined. Pure. As log-structured stores do: each page is written again once a level, so that
 * 10,000 increments are at most 3 layers of each of 7 levels; and what a restore reads besides the whole layer is no more
 * than a quarter of it.
 * @param layers oldest first; the first holds the whole environment
 */
export function planMerge(layers: readonly Pick<LayerRef, 'level' | 'pages'>[]): Merge | undefined {
  const [whole, ...increments] = layers;
  if (whole === undefined || increments.length < FAN) return undefined;
  const pages = increments.reduce((sum, layer) => sum + layer.pages, 0);
  if (pages > whole.pages * FOLD) return { from: 0, count: layers.length };
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
