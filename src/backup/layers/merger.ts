import { HOUR } from '../../core/durations.ts';
import { BackupError } from '../errors.ts';
import type { MdbxContent } from '../repository/model.ts';
import type { SourceStore } from '../repository/source-store.ts';
import { mergeDue } from './merge.ts';
import { applyMerged, type Merged, planMerge } from './plan.ts';

/**
 * What the next snapshot builds upon, with layers merged; undefined: they are damaged, so that it must be whole.
 */
export type Merger = (
  store: SourceStore,
  content: MdbxContent,
  signal: AbortSignal | undefined,
) => Promise<MdbxContent | undefined>;

/** For one run: what is due is merged before the source is looked at, once, so that its requests are bounded. */
export const mergeFirst: Merger = async (store, content, signal) => {
  if (planMerge(content.layers) === undefined) return content;
  const merged = await unlessDamaged(mergeDue(store, content, signal));
  return merged === undefined ? undefined : { ...content, layers: [...applyMerged(content.layers, merged)] };
};

/** Nothing is merged. */
export const mergeNothing: Merger = async (_store, content) => content;

/** What waits longer for a snapshot that refers to it is merged again: prune takes what nothing refers to after a day. */
const WAITS = 6 * HOUR;

/** For one run after the other: merges beside them, so that no snapshot waits, and gives the next one what is ready. */
export class MergeBeside {
  #ready: { readonly merged: Merged; readonly at: number }[] = [];
  #running: Promise<void> | undefined;
  #damaged = false;
  #failure: unknown;

  readonly merger: Merger = async (_store, content) => {
    if (this.#damaged) {
      this.#damaged = false;
      return undefined;
    }
    const now = performance.now();
    const fresh = this.#ready.filter(({ at }) => now - at < WAITS);
    const layers = fresh.reduce((list, { merged }) => [...applyMerged(list, merged)], content.layers);
    return { ...content, layers };
  };

  /** Begins what is due for a snapshot that was stored, unless something is under way. */
  begin(store: SourceStore, { layers, pageSize }: MdbxContent, signal: AbortSignal | undefined): void {
    if (this.#running !== undefined) return;
    // What that snapshot refers to waits no longer.
    this.#ready = this.#ready.filter(({ merged }) => !layers.some(({ name }) => name === merged.by.name));
    if (this.#ready.length > 0 || planMerge(layers) === undefined) return;
    this.#running = this.#merge(store, { layers, pageSize }, signal).finally(() => {
      this.#running = undefined;
    });
  }

  /** Waits for what is under way. @returns what a merge failed with since the last call, other than damage */
  async settled(): Promise<unknown> {
    await this.#running;
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  async #merge(
    store: SourceStore,
    chain: Pick<MdbxContent, 'layers' | 'pageSize'>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    try {
      const merged = await mergeDue(store, chain, signal);
      if (merged !== undefined) this.#ready.push({ merged, at: performance.now() });
    } catch (error) {
      if (error instanceof BackupError && error.code === 'damaged') this.#damaged = true;
      else this.#failure = error;
    }
  }
}

async function unlessDamaged<T>(what: Promise<T>): Promise<T | undefined> {
  try {
    return await what;
  } catch (error) {
    if (error instanceof BackupError && error.code === 'damaged') return undefined;
    throw error;
  }
}
