import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError } from '../client/index.ts';
import { BucketwrightError, systemErrorCode } from '../core/errors.ts';
import { MiB } from '../core/sizes.ts';
import { Budget } from './budget.ts';
import { type Copied, type CopyContext, copyObject } from './copy.ts';
import { TransferError } from './errors.ts';
import type { Journal } from './journal.ts';
import { parentOf } from './keys.ts';
import type { Leftover, Place } from './place.ts';
import type { Action, Plan } from './plan.ts';
import { add, emptyReport, type Problem, type TransferReport } from './report.ts';
import { differenceOf, sameBytes, type VerifyContext } from './verify.ts';

export interface RunOptions {
  readonly source: Place;
  readonly destination: Place;
  /** Remembers what is done for the next run. */
  readonly journal?: Journal | undefined;
  /** Objects at once. Default 8. */
  readonly concurrency?: number | undefined;
  /** Bytes of objects in memory at once. Default 128 MiB. */
  readonly memory?: number | undefined;
  /**
   * Keys that are copied after all others, and not at all when something beside them (below the same parent) failed.
   * Tempo's `meta.json` makes a block visible, so it must come last.
   */
  readonly last?: ((key: string) => boolean) | undefined;
  /** Reads everything back afterwards, what was skipped included. */
  readonly verify?: boolean | undefined;
  /** Removes what only the destination has, when all else went well. */
  readonly delete?: boolean | undefined;
  /** Begin nothing new; what is under way is finished. */
  readonly stop?: AbortSignal | undefined;
  /** Stop at once; what is under way is undone. */
  readonly abort?: AbortSignal | undefined;
  /** Bytes copied (or, in the second phase, read back); negative when an attempt failed and begins again. */
  onProgress?(bytes: number, phase: 'copy' | 'verify'): void;
  onProblem?(problem: Problem): void;
}

export interface TransferOutcome {
  readonly report: TransferReport;
  /** The error that ended the run, else the first that one object met; for exit codes. */
  readonly error: unknown;
}

const ATTEMPTS = 3;
/** So many failures one after the other are not the objects' fault. */
const FAILURES_IN_A_ROW = 25;

/**
 * Carries out a plan. What goes wrong with one object is in the report and does not hold up the others; what would go
 * wrong with all of them (wrong keys, a full disk) ends the run early.
 * @throws TransferError `unnameable` before anything is written, when the plan has refusals
 */
export async function runTransfer(plan: Plan, options: RunOptions): Promise<TransferOutcome> {
  refuse(plan);
  const began = Date.now();
  const { source, destination, journal } = options;
  const report = emptyReport(source.name, destination.name, 'transfer', plan.extra);
  const run = new Run(report, options);
  for (const { key, reason } of plan.oddities) run.problem({ key, kind: 'refused', reason });
  for (const leftover of journal?.leftovers ?? []) {
    await run.cleanUp(leftover);
  }
  const last = options.last ?? (() => false);
  await run.each(
    plan.actions.filter(({ object }) => !last(object.key)),
    (action) => run.settle(action),
  );
  await run.each(
    plan.actions.filter(({ object }) => last(object.key)),
    (action) => run.settleLast(action),
  );
  if (options.verify === true) await run.verify(plan.actions);
  report.stopped = options.stop?.aborted === true || options.abort?.aborted === true;
  const clean = () => report.problems.length === 0 && report.notTried.objects === 0 && !report.stopped;
  if (options.delete === true && clean()) await run.delete(plan);
  report.complete = clean();
  report.milliseconds = Date.now() - began;
  return { report, error: run.error };
}

/**
 * Compares everything by its bytes and changes nothing.
 */
export async function verifyTransfer(plan: Plan, options: RunOptions): Promise<TransferOutcome> {
  const began = Date.now();
  const report = emptyReport(options.source.name, options.destination.name, 'verify-only', plan.extra);
  const run = new Run(report, options);
  for (const { key, reason } of [...plan.oddities, ...plan.refusals]) run.problem({ key, kind: 'refused', reason });
  for (const { object, there } of plan.actions) {
    if (there === undefined) run.problem({ key: object.key, kind: 'differs', reason: 'it is not at the destination' });
  }
  await run.verify(plan.actions.filter(({ there }) => there !== undefined));
  report.stopped = options.stop?.aborted === true || options.abort?.aborted === true;
  report.complete = report.problems.length === 0 && report.notTried.objects === 0 && !report.stopped;
  report.milliseconds = Date.now() - began;
  return { report, error: run.error };
}

/** @throws TransferError `unnameable`, naming the first of them */
export function refuse({ refusals }: Plan): void {
  if (refusals.length === 0) return;
  const named = refusals.slice(0, 20).map(({ key, reason }) => `${JSON.stringify(key)}: ${reason}`);
  const more = refusals.length > 20 ? `, and ${refusals.length - 20} more` : '';
  throw new TransferError(
    'unnameable',
    `${refusals.length} keys cannot be stored at the destination, so nothing was copied: ${named.join('; ')}${more}`,
    { advice: 'copy to a bucket instead, rename or delete them, or transfer prefixes without them' },
  );
}

class Run {
  readonly #report: TransferReport;
  readonly #options: RunOptions;
  readonly #abort: AbortController = new AbortController();
  readonly #copying: CopyContext;
  readonly #verifying: VerifyContext;
  /** Parents of keys that are not surely at the destination. */
  readonly #incomplete = new Set<string>();
  #inARow = 0;
  #fatal: { readonly error: unknown } | undefined;
  #firstError: unknown;

  constructor(report: TransferReport, options: RunOptions) {
    this.#report = report;
    this.#options = options;
    const { source, destination, journal, abort } = options;
    if (abort?.aborted === true) this.#abort.abort();
    abort?.addEventListener('abort', () => this.#abort.abort(), { once: true });
    const { signal } = this.#abort;
    // One for each request under way, of which there may be a thousand; Node.js warns on standard error from eleven on.
    setMaxListeners(0, signal);
    this.#copying = {
      source,
      destination,
      budget: new Budget(options.memory ?? 128 * MiB),
      partsAtOnce: 4,
      note: async (leftover) => journal?.begun(leftover),
      progress: () => {},
      signal,
    };
    this.#verifying = { source, destination, progress: (bytes) => options.onProgress?.(bytes, 'verify'), signal };
  }

  /** The error that ended the run, else the first of one object. */
  get error(): unknown {
    return this.#fatal === undefined ? this.#firstError : this.#fatal.error;
  }

  problem(problem: Pick<Problem, 'key' | 'kind' | 'reason'>, error?: unknown): void {
    const known = error instanceof BucketwrightError ? error : undefined;
    const full = { ...problem, code: known?.code ?? systemErrorCode(error), advice: known?.advice };
    this.#incomplete.add(parentOf(problem.key));
    this.#report.problems.push(full);
    this.#options.onProblem?.(full);
  }

  async cleanUp(leftover: Leftover): Promise<void> {
    try {
      await this.#options.destination.cleanUp(leftover);
      this.#report.cleanedUp += 1;
    } catch (error) {
      const reason = `what an interrupted run left cannot be removed: ${error instanceof Error ? error.message : error}`;
      this.#firstError ??= error;
      this.problem({ key: leftover.key, kind: 'failed', reason }, error);
    }
  }

  /** Runs `task` on each, several at once, until all are done or something ends the run. */
  async each(actions: readonly Action[], task: (action: Action) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async () => {
      for (let action = actions[next++]; action !== undefined; action = actions[next++]) {
        const enough = this.#options.stop?.aborted === true || this.#abort.signal.aborted;
        if (enough || this.#fatal !== undefined || this.#inARow >= FAILURES_IN_A_ROW) {
          add(this.#report.notTried, action.object.size);
          this.#incomplete.add(parentOf(action.object.key));
        } else await task(action);
      }
    };
    await Promise.all(Array.from({ length: this.#options.concurrency ?? 8 }, worker));
  }

  async settleLast(action: Action): Promise<void> {
    const { key } = action.object;
    if (action.kind === 'skip' || !this.#incomplete.has(parentOf(key))) return this.settle(action);
    this.problem({ key, kind: 'held-back', reason: 'its turn is last, and something beside it is not copied' });
  }

  async settle(action: Action): Promise<void> {
    const { object, there, kind } = action;
    const { journal } = this.#options;
    try {
      if (kind === 'skip') return add(this.#report.skipped, object.size);
      if (kind === 'compare' && there !== undefined && (await sameBytes(object, there, this.#verifying))) {
        journal?.done(object.key, object.version, there.version);
        return add(this.#report.skipped, object.size);
      }
      const copied = await this.#copy(object.key);
      journal?.done(object.key, copied.version, copied.stored.version);
      this.#inARow = 0;
      this.#count(object.key, copied, copied.version !== object.version);
    } catch (error) {
      this.#failed(object.key, error);
    }
  }

  async verify(actions: readonly Action[]): Promise<void> {
    const bad = new Set(this.#report.problems.map(({ key }) => key));
    const present = actions.filter(({ object }) => !bad.has(object.key));
    await this.each(present, async ({ object }) => {
      try {
        const difference = await differenceOf(object, this.#verifying);
        if (difference === undefined) add(this.#report.verified, object.size);
        else this.problem({ key: object.key, kind: 'differs', reason: difference });
      } catch (error) {
        this.#failed(object.key, error);
      }
    });
  }

  async delete(plan: Plan): Promise<void> {
    // An empty source is far more often a wrong name than a wish to delete everything.
    if (plan.actions.length === 0) return;
    const failed = await this.#options.destination.delete(plan.extra);
    for (const { key, reason } of failed) this.problem({ key, kind: 'not-deleted', reason });
    this.#report.deleted.objects = plan.extra.length - failed.length;
  }

  async #copy(key: string): Promise<Copied> {
    for (let attempt = 1; ; attempt += 1) {
      let read = 0;
      const progress = (bytes: number) => {
        read += bytes;
        this.#options.onProgress?.(bytes, 'copy');
      };
      try {
        return await copyObject(key, { ...this.#copying, progress });
      } catch (error) {
        this.#options.onProgress?.(-read, 'copy');
        if (attempt >= ATTEMPTS || !isWorthARetry(error) || this.#abort.signal.aborted) throw error;
        await sleep(250 * 2 ** attempt * (0.5 + Math.random()), undefined, { signal: this.#abort.signal });
      }
    }
  }

  #count(key: string, copied: Copied, newer: boolean): void {
    const report = this.#report;
    add(report.copied, copied.bytes);
    if (copied.stored.checked) report.storedChecked += 1;
    if (copied.readChecked) report.readChecked += 1;
    if (copied.headersDropped) report.headersDropped += 1;
    if (copied.tagsDropped) report.tagsDropped += 1;
    if (newer) report.newer.push(key);
  }

  #failed(key: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const own = error instanceof TransferError ? error.code : undefined;
    this.#firstError ??= error;
    if (own === 'vanished' || own === 'changed') {
      this.problem({ key, kind: own, reason }, error);
    } else if (this.#abort.signal.aborted) {
      this.problem({ key, kind: 'failed', reason: 'it was stopped half-way' });
    } else {
      this.problem({ key, kind: 'failed', reason }, error);
      this.#inARow += 1;
      if (endsTheRun(error)) this.#fatal ??= { error };
    }
  }
}

function isWorthARetry(error: unknown): boolean {
  if (error instanceof TransferError) return ['changed', 'damaged', 'not-stored'].includes(error.code);
  if (error instanceof ClientError) return ['unreachable', 'throttled', 'server', 'checksum'].includes(error.code);
  return /^(?:ECONN|EPIPE|ETIMEDOUT|ERR_STREAM)/.test(systemErrorCode(error) ?? '');
}

/** What would happen to every other object as well. */
function endsTheRun(error: unknown): boolean {
  if (error instanceof ClientError) {
    return ['bad-credentials', 'no-such-bucket', 'clock-skew', 'wrong-region', 'tls'].includes(error.code);
  }
  return ['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE'].includes(systemErrorCode(error) ?? '');
}
