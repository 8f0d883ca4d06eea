import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE } from '../../core/durations.ts';

/** A wait is that much shorter or longer, so that nodes that started together do not stay together. */
const JITTER = 0.05;

/**
 * Milliseconds until the next run. After failures it doubles, up to five minutes or the interval.
 * @param random 0 to 1
 */
export function pauseOf(every: number, failures: number, random: number): number {
  const longer = Math.min(every * 2 ** Math.min(failures, 10), Math.max(every, 5 * MINUTE));
  return longer * (1 - JITTER + 2 * JITTER * random);
}

/**
 * Calls `task` again and again until `stop`, each time `every` after it began; a failure is told and waited out. Counts by a
 * clock that never jumps.
 * @param first milliseconds until the first time
 */
export async function repeat(options: {
  readonly every: number;
  readonly first: number;
  readonly task: () => Promise<void>;
  readonly failed: (error: unknown) => void;
  readonly stop: AbortSignal;
}): Promise<void> {
  const { every, first, task, failed, stop } = options;
  let failures = 0;
  let rest = first;
  for (;;) {
    await sleep(rest, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    const began = performance.now();
    try {
      await task();
      failures = 0;
    } catch (error) {
      if (stop.aborted) return;
      failures += 1;
      failed(error);
    }
    rest = Math.max(0, pauseOf(every, failures, Math.random()) - (performance.now() - began));
  }
}
