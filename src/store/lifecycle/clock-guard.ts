import type { Clock } from '../../core/clock.ts';
import { HOUR, MINUTE } from '../../core/durations.ts';

const LEAP = HOUR;
const PATIENCE = 10 * MINUTE;

/**
 * Lifecycle deletes by the clock, so a clock that leaps ahead (a virtual machine resumed with a wrong time, a bad time
 * server) would delete what is not due. After a leap of more than an hour nothing is deleted for ten minutes, which gives
 * the time service the chance to put it right.
 */
export class ClockGuard {
  readonly #clock: Clock;
  /** Milliseconds that only ever go forward. */
  readonly #steady: () => number;
  #difference: number | undefined;
  #waitUntil = 0;

  constructor(clock: Clock, steady: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#steady = steady;
  }

  /** @returns milliseconds that the clock leaped ahead since the last time, when it is still to be waited for; else 0 */
  leap(): number {
    const steady = this.#steady();
    const difference = this.#clock.now() - steady;
    const leap = this.#difference === undefined ? 0 : difference - this.#difference;
    this.#difference = difference;
    if (leap > LEAP) this.#waitUntil = steady + PATIENCE;
    // Put back: what was waited for has happened.
    else if (leap < -LEAP) this.#waitUntil = 0;
    return steady < this.#waitUntil ? Math.max(leap, 1) : 0;
  }
}
