import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY, HOUR } from '../core/durations.ts';
import { type KeepRules, keep } from './keep.ts';

const none: KeepRules = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, within: 0 };
const now = Date.parse('2026-11-26T12:00:00Z');
const small = fc.integer({ min: 0, max: 12 });
const rules = fc.record({
  last: small,
  hourly: small,
  daily: small,
  weekly: small,
  monthly: small,
  within: fc.integer({ min: 0, max: 40 * DAY }),
});
const snapshots = fc
  .array(fc.integer({ min: 0, max: 400 * DAY }), { maxLength: 200 })
  .map((ages) => ages.sort((a, b) => a - b).map((age, index) => ({ time: now - age, index })));
const kept = (all: readonly { time: number; index: number }[], by: KeepRules, at = now) =>
  keep(all, by, at)
    .filter(({ reasons }) => reasons.length > 0)
    .map(({ snapshot }) => snapshot.index);

test('the newest stays, and so do the last and the young ones', () => {
  fc.assert(
    fc.property(snapshots, rules, (all, by) => {
      const left = new Set(kept(all, by));
      for (const { time, index } of all) {
        if (index === 0 || index < by.last || (by.within > 0 && now - time <= by.within)) {
          expect(left.has(index)).toBe(true);
        }
      }
    }),
  );
});

test('each rule keeps at most its number, one in each period, and the newest there', () => {
  const periods: readonly [keyof KeepRules, (time: number) => unknown][] = [
    ['hourly', (time) => Math.floor(time / HOUR)],
    ['daily', (time) => new Date(time).toISOString().slice(0, 10)],
    ['monthly', (time) => new Date(time).toISOString().slice(0, 7)],
  ];
  fc.assert(
    fc.property(snapshots, fc.integer({ min: 1, max: 12 }), fc.constantFrom(...periods), (all, count, [rule, of]) => {
      const left = keep(all, { ...none, [rule]: count }, now).filter(({ reasons }) => reasons.includes(rule));
      const seen = left.map(({ snapshot }) => of(snapshot.time));
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.length).toBe(Math.min(count, new Set(all.map(({ time }) => of(time))).size));
      for (const { snapshot } of left) {
        const first = all.find(({ time }) => of(time) === of(snapshot.time));
        expect(snapshot.index).toBe(first?.index);
      }
    }),
  );
});

test('pruning twice is pruning once, and more rules keep no less', () => {
  fc.assert(
    fc.property(snapshots, rules, rules, (all, by, more) => {
      const once = kept(all, by);
      const left = all.filter(({ index }) => once.includes(index));
      expect(kept(left, by)).toEqual(once);
      const most: KeepRules = {
        last: Math.max(by.last, more.last),
        hourly: Math.max(by.hourly, more.hourly),
        daily: Math.max(by.daily, more.daily),
        weekly: Math.max(by.weekly, more.weekly),
        monthly: Math.max(by.monthly, more.monthly),
        within: Math.max(by.within, more.within),
      };
      expect(kept(all, most)).toEqual(expect.arrayContaining(once));
    }),
  );
});

test('weeks begin on Monday, and a clock that jumped takes nothing from the rules', () => {
  const at = (text: string, index: number) => ({ time: Date.parse(text), index });
  const all = [
    at('2026-11-26T00:00:00Z', 0),
    at('2026-11-23T00:00:00Z', 1),
    at('2026-11-22T23:59:59Z', 2),
    at('2026-11-16T00:00:00Z', 3),
  ];
  expect(kept(all, { ...none, weekly: 2 })).toEqual([0, 2]);
  // One from a clock that was ahead is the newest by its sequence no more, and still one day of its own.
  const jumped = [at('2026-11-26T00:00:00Z', 0), at('2040-01-01T00:00:00Z', 1), at('2026-11-25T00:00:00Z', 2)];
  expect(kept(jumped, { ...none, daily: 3 })).toEqual([0, 1, 2]);
});
