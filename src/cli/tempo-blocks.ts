import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../core/errors.ts';
import { type BlocksPlan, giveToOwnerAbove, moveBlocks, planBlocks } from '../observability/migrate/index.ts';
import type { BucketTarget, SettingsInput } from '../settings/index.ts';
import { Journal, type Place, planTransfer, type TransferReport } from '../transfer/index.ts';
import type { CliContext } from './context.ts';
import { interruption } from './interruption.ts';
import { progressOn } from './progress.ts';
import { placeOf } from './transfer-place.ts';
import { plannedBytes, problemLine } from './transfer-report.ts';
import { statePath } from './transfer-state.ts';

export interface BlocksMove {
  readonly to: 's3' | 'filesystem';
  /** Tempo's directory of blocks, as it is called here. */
  readonly directory: string;
  readonly target: BucketTarget;
  /** Whether blocks that only the destination has are removed. */
  readonly prune: boolean;
  readonly settings: () => SettingsInput;
}

export interface BlocksOutcome {
  readonly plan: BlocksPlan;
  /** Undefined: nothing was carried out. */
  readonly report: TransferReport | undefined;
  /** The first error, for the exit code. */
  readonly error: unknown;
}

/**
 * Compares the blocks of both places and, with `apply`, copies them.
 * @throws UsageError where no block is found, ClientError, HostError, SettingsError, TransferError
 */
export async function blocksOf(move: BlocksMove, apply: boolean, context: CliContext): Promise<BlocksOutcome> {
  const { to, directory, target, prune, settings } = move;
  const common = { settings, environment: {}, sockets: 32, endpoint: undefined };
  const disk = placeOf({ kind: 'directory', path: directory }, { ...common, role: 'source' }).place;
  const location = { kind: 'bucket', connection: undefined, bucket: target.bucket, prefix: target.prefix } as const;
  const bucket = placeOf(location, { ...common, role: to === 's3' ? 'destination' : 'source' }).place;
  const [source, destination] = to === 's3' ? [disk, bucket] : [bucket, disk];
  // On the wrong machine this would make a directory that no Tempo looks at.
  if (to === 'filesystem' && !existsSync(dirname(directory))) throw elsewhere(`${dirname(directory)} is not here`);
  if (to === 's3' && !existsSync(directory)) throw elsewhere(`${directory} is not here`);
  try {
    await source.check('source');
    await destination.check('destination');
    const outcome = await compareAndCopy(source, destination, prune, apply, context);
    if (to === 'filesystem' && outcome.report?.complete === true) {
      // What was pruned leaves directories, which Tempo would look into at every poll.
      if (prune) for (const block of outcome.plan.others) await rmdir(join(directory, block)).catch(() => undefined);
      await giveToOwnerAbove(directory);
    }
    return outcome;
  } finally {
    await disk.close();
    await bucket.close();
  }
}

async function compareAndCopy(
  source: Place,
  destination: Place,
  prune: boolean,
  apply: boolean,
  context: CliContext,
): Promise<BlocksOutcome> {
  const progress = progressOn(context.err);
  const signals = interruption(progress.line);
  const journal = apply
    ? await Journal.open(statePath(source, destination, context), source.name, destination.name)
    : undefined;
  try {
    const listed = await planTransfer(source.list(signals.abort), destination.list(signals.abort), {
      refusal: destination.refusals(),
      settled: (object, there) => journal?.settled(object, there) ?? false,
    });
    const plan = planBlocks(listed, prune);
    if (plan.blocks === 0) throw elsewhere(`there is no block of Tempo in ${source.name}`);
    if (!apply) return { plan, report: undefined, error: undefined };
    let showing = 'copy';
    const open = plannedBytes(listed, ({ kind }) => kind !== 'skip');
    progress.begin('copying', open);
    const { report, error } = await moveBlocks(plan, {
      source,
      destination,
      journal,
      stop: signals.stop,
      abort: signals.abort,
      onProgress(bytes, phase) {
        if (phase !== showing) {
          showing = phase;
          progress.begin(
            'verifying',
            plannedBytes(listed, () => true),
          );
        }
        progress.add(bytes);
      },
      onProblem: (problem) => progress.line(problemLine(problem)),
    });
    return { plan, report, error };
  } finally {
    progress.end();
    signals.release();
    await journal?.close();
  }
}

function elsewhere(message: string): UsageError {
  return new UsageError(message, {
    subject: '--blocks',
    advice:
      "name Tempo's directory of blocks as it is called on this machine (--blocks DIR, on its volume), or switch without copying (--no-copy)",
  });
}
