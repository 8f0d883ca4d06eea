import { DAY, HOUR, MINUTE, SECOND, WEEK } from '../../core/durations.ts';

/** Loki's limits have Prometheus's durations, everything else Go's: only one of them knows days. */

const sizes: ReadonlyMap<string, number> = new Map([
  ['y', 365 * DAY],
  ['w', WEEK],
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ns', 1e-6],
]);

function sum(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµ]+)/g)) {
    total += Number(amount) * (sizes.get(unit ?? '') ?? Number.NaN);
  }
  return total;
}

/**
 * A duration as Go's time.ParseDuration takes it: `336h`, `1h30m`, `1.5h`; no days.
 * @returns milliseconds, or undefined when it is none
 */
export function parseGoDuration(text: string): number | undefined {
  if (text === '0') return 0;
  return /^(?:\d{1,15}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h))+$/.test(text) ? sum(text) : undefined;
}

/**
 * A duration as Prometheus's model.ParseDuration takes it: `31d`, `1y`, `744h0m0s`; whole numbers, largest unit first.
 * @returns milliseconds, or undefined when it is none
 */
export function parsePrometheusDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const ordered = /^(?:\d{1,9}y)?(?:\d{1,9}w)?(?:\d{1,9}d)?(?:\d{1,9}h)?(?:\d{1,9}m)?(?:\d{1,9}s)?(?:\d{1,12}ms)?$/;
  return text !== '' && ordered.test(text) ? sum(text) : undefined;
}
