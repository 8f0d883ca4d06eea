import { DAY, MINUTE, SECOND } from '../../core/durations.ts';
import type { Engine } from '../engine.ts';
import { StoreError } from '../errors.ts';
import { ClockGuard } from './clock-guard.ts';
import type { LifecycleReport } from './report.ts';
import { runLifecycle } from './worker.ts';

export interface LifecycleOptions {
  /** Milliseconds that count as a day; any but a real one is for tests. */
  readonly dayLength: number;
  readonly observe?: ((report: LifecycleReport) => void) | undefined;
}

/**
 * Runs the rules of every bucket: once a day, soon after midnight UTC, since no rule becomes due at another time; and when
 * the rules were changed. One bucket after the other, so that there is never more than one run.
 */
export class LifecycleSchedule {
  readonly #engine: Engine;
  readonly #options: LifecycleOptions;
  readonly #guard: ClockGuard;
  readonly #done = new Map<number, string>();
  readonly #last = new Map<string, LifecycleReport>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(engine: Engine, options: LifecycleOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#guard = new ClockGuard(engine.clock);
  }

  start(): void {
    const { dayLength } = this.#options;
    const interval = dayLength === DAY ? MINUTE : Math.max(SECOND / 10, Math.min(MINUTE, dayLength / 10));
    this.#timer = setInterval(() => {
      if (this.#running !== undefined) return;
      this.#running = this.#tick()
        .catch((error: unknown) => {
          this.#engine.logger.warn({ err: error }, 'a lifecycle run failed; it is tried again');
        })
        .finally(() => {
          this.#running = undefined;
        });
    }, interval);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  /** The last run of each bucket that removed something or found it locked, by bucket. */
  get reports(): readonly LifecycleReport[] {
    return [...this.#last.values()];
  }

  /** One run over every bucket, due or not. */
  async run(): Promise<readonly LifecycleReport[]> {
    const reports: LifecycleReport[] = [];
    for (const [bucket] of [...this.#engine.buckets.entries()]) {
      const report = await this.#runBucket(bucket);
      if (report !== undefined) reports.push(report);
    }
    return reports;
  }

  async #tick(): Promise<void> {
    const leap = this.#guard.leap();
    if (leap > 0) {
      if (leap > 1) this.#engine.logger.warn({ milliseconds: leap }, 'the clock leaped ahead: lifecycle waits');
      return;
    }
    for (const [bucket, { id }] of [...this.#engine.buckets.entries()]) {
      if (this.#stopped) return;
      const text = this.#engine.configurations.get(id, 'lifecycle');
      if (text === undefined) continue;
      const mark = `${Math.floor(this.#engine.clock.now() / DAY)} ${text}`;
      if (this.#options.dayLength === DAY && this.#done.get(id) === mark) continue;
      const report = await this.#runBucket(bucket);
      // A run that was stopped, or that failed, is not done.
      if (report !== undefined && !this.#stopped) this.#done.set(id, mark);
    }
  }

  async #runBucket(bucket: string): Promise<LifecycleReport | undefined> {
    try {
      const report = await runLifecycle(this.#engine, bucket, this.#options.dayLength, () => this.#stopped);
      const { began, ended, bucket: _, ...counts } = report;
      if (Object.values(counts).some((count) => count > 0)) {
        this.#last.set(bucket, report);
        this.#engine.logger.info({ bucket, milliseconds: ended - began, ...counts }, 'lifecycle');
      }
      this.#options.observe?.(report);
      return report;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'no-such-bucket') return undefined;
      throw error;
    }
  }
}
