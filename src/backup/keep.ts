import { DAY, HOUR, WEEK } from '../core/durations.ts';

/** How many to keep of each kind, per source; the newest of every source is always kept. */
export interface KeepRules {
  readonly last: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  /** Milliseconds: all that are younger. */
  readonly within: number;
}

export interface Kept<T> {
  readonly snapshot: T;
  /** Empty: it goes. */
  readonly reasons: readonly string[];
}

/**
 * Which snapshots of one source stay. Pure. A calendar rule keeps the newest of each of the latest so many hours, days,
 * weeks from Monday or months (UTC) that have one. Times need not be in order, since a clock may have jumped.
 * @param snapshots of one source, newest first
 */
export function keep<T extends { readonly time: number }>(
  snapshots: readonly T[],
  rules: KeepRules,
  now: number,
): readonly Kept<T>[] {
  const reasons = snapshots.map((): string[] => []);
  const calendar: readonly [string, number, (time: number) => string][] = [
    ['hourly', rules.hourly, (time) => String(Math.floor(time / HOUR))],
    ['daily', rules.daily, (time) => String(Math.floor(time / DAY))],
    // 1970-01-01 was a Thursday: weeks begin on Monday.
    ['weekly', rules.weekly, (time) => String(Math.floor((time + 3 * DAY) / WEEK))],
    ['monthly', rules.monthly, (time) => new Date(time).toISOString().slice(0, 7)],
  ];
  for (const [index, { time }] of snapshots.entries()) {
    if (index === 0) reasons[index]?.push('newest');
    else if (index < rules.last) reasons[index]?.push('last');
    if (rules.within > 0 && now - time <= rules.within) reasons[index]?.push('within');
  }
  for (const [name, most, of] of calendar) {
    const seen = new Set<string>();
    for (const [index, { time }] of snapshots.entries()) {
      if (seen.size >= most) break;
      if (seen.has(of(time))) continue;
      seen.add(of(time));
      reasons[index]?.push(name);
    }
  }
  return snapshots.map((snapshot, index) => ({ snapshot, reasons: reasons[index] ?? [] }));
}
