export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
  ['d', DAY],
  ['w', WEEK],
]);

/**
 * A duration as people and Prometheus-like configurations write it: `30s`, `90m`, `1h30m`, `31d`, `2w`. Units ms, s, m,
 * h, d, w; every number is a whole one.
 * @returns milliseconds, or undefined when the text is none
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:ms|s|m|h|d|w))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d|w)/g)) {
    total += Number(amount) * (UNITS.get(unit ?? '') ?? Number.NaN);
  }
  return Number.isSafeInteger(total) ? total : undefined;
}

/** Milliseconds for people, largest whole unit first: `31d`, `1h30m`, `250ms`; `0s` for nothing. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  if (rest <= 0) return '0s';
  let text = '';
  for (const [unit, size] of [...UNITS].reverse()) {
    if (unit === 'w') continue;
    const amount = Math.floor(rest / size);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * size;
  }
  return text;
}
