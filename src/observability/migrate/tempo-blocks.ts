import { type Plan, type RunOptions, runTransfer, type TransferOutcome } from '../../transfer/index.ts';

/** A block of Tempo, `TENANT/UUID/`, or undefined: a tenant's index, the scheduler's work, anything else. */
const blockOf = (key: string): string | undefined => /^[^/]+\/[0-9a-f-]{36}\//.exec(key)?.[0];

/** What the copying of Tempo's blocks comes to. */
export interface BlocksPlan {
  readonly plan: Plan;
  /** Blocks of the source. */
  readonly blocks: number;
  /** Objects to copy, or to compare first; the others are there already. */
  readonly open: number;
  /** Blocks that only the destination has, `TENANT/UUID/`. */
  readonly others: readonly string[];
  /** What is removed at the destination when all else went well. */
  readonly remove: readonly string[];
}

/**
 * Reads a plan as Tempo will read its outcome. Where an older copy is at the destination, a block may have been compacted
 * since: its old `meta.json` would bring it back beside the block that replaced it, and is removed. Blocks that only the
 * destination has are either older than the copy, or traces that were never in the source: nobody can tell, so they stay
 * unless `prune` is asked for.
 */
export function planBlocks(plan: Plan, prune: boolean): BlocksPlan {
  const here = new Set(plan.actions.flatMap(({ object }) => blockOf(object.key) ?? []));
  const ofBlocks = plan.extra.filter((key) => blockOf(key) !== undefined);
  const inOthers = ofBlocks.filter((key) => !here.has(blockOf(key) ?? ''));
  const stale = ofBlocks.filter((key) => here.has(blockOf(key) ?? '') && /\/meta(?:\.compacted)?\.json$/.test(key));
  return {
    plan,
    blocks: here.size,
    open: plan.actions.filter(({ kind }) => kind !== 'skip').length,
    others: [...new Set(inOthers.map((key) => blockOf(key) ?? ''))],
    remove: prune ? [...stale, ...inOthers] : stale,
  };
}

/**
 * Copies the blocks, each `meta.json` after everything else, since a block exists once its `meta.json` does; reads all of
 * it back; then removes what would be wrong beside it. Run again, it goes on where it stopped.
 * @throws TransferError before anything is written, when a key cannot be stored at the destination
 */
export function moveBlocks({ plan, remove }: BlocksPlan, options: RunOptions): Promise<TransferOutcome> {
  const last = (key: string) => /\/meta(?:\.compacted)?\.json$/.test(key);
  return runTransfer({ ...plan, extra: remove }, { ...options, last, verify: true, delete: true });
}
