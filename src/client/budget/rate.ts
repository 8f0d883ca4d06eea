import { setTimeout as sleep } from 'node:timers/promises';

/** Spaces requests out. Times are milliseconds of a clock that only goes forward. */
export interface Rate {
  /** Requests a second from now on. */
  set(perSecond: number): void;
  /** Resolves when the next request may go; first come, first served. */
  take(): Promise<void>;
}

/** Requests that may go at once after a pause, as parts of a second's worth: what keeps short commands quick. */
const BURST_SECONDS = 0.1;

/**
 * A rate that is never exceeded by more than the burst: each request has its slot, and who comes early waits for it.
 */
export function createRate(
  perSecond: number,
  now: () => number = () => performance.now(),
  wait: (milliseconds: number) => Promise<void> = (milliseconds) => sleep(milliseconds),
): Rate {
  let interval = 1000 / perSecond;
  const burst = BURST_SECONDS * 1000;
  let next = Number.NEGATIVE_INFINITY;
  return {
    set(wanted) {
      interval = 1000 / wanted;
    },
    async take() {
      const time = now();
      const slot = Math.max(next, time - burst);
      next = slot + interval;
      if (slot > time) await wait(slot - time);
    },
  };
}
