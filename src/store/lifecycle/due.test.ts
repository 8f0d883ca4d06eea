import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../core/durations.ts';
import { ClockGuard } from './clock-guard.ts';
import { abortOf, daysAfter, expirationOf, markerExpirationOf, noncurrentExpirationOf } from './due.ts';
import { decodeLifecycle, encodeLifecycle, type LifecycleRule } from './rules.ts';

const NOON = Date.UTC(2026, 10, 24, 12);
const object = { key: 'logs/a', size: 100, tags: [['team', 'x']] as const, modified: NOON };

function rule(given: Partial<LifecycleRule>): LifecycleRule {
  return { id: 'r', enabled: true, form: 'filter', filter: {}, ...given };
}

const at = (due: { readonly at: number } | undefined) =>
  due === undefined ? undefined : new Date(due.at).toISOString();

describe('days', () => {
  it('end at the next midnight UTC, as S3 counts', () => {
    // The User Guide's example: created 15/1/2014 10:30, three days: 19/1/2014 00:00.
    const created = Date.UTC(2014, 0, 15, 10, 30);
    expect(new Date(daysAfter(created, 3)).toISOString()).toBe('2014-01-19T00:00:00.000Z');
    expect(new Date(daysAfter(Date.UTC(2014, 0, 15), 3)).toISOString()).toBe('2014-01-18T00:00:00.000Z');
  });

  it('are never short, and at most a day long', () => {
    fc.assert(
      fc.property(fc.nat(4e12), fc.integer({ min: 1, max: 10_000 }), (moment, days) => {
        const due = daysAfter(moment, days);
        expect(due % DAY).toBe(0);
        expect(due - moment).toBeGreaterThanOrEqual(days * DAY);
        expect(due - moment).toBeLessThan((days + 1) * DAY);
      }),
    );
  });

  it('of a test are not rounded', () => expect(daysAfter(NOON, 3, 10_000)).toBe(NOON + 30_000));
});

describe('a current object', () => {
  const days = (filter: LifecycleRule['filter'], n = 1) => rule({ filter, expiration: { days: n } });

  it.each([
    [{}, true],
    [{ prefix: 'logs/' }, true],
    [{ prefix: 'log/' }, false],
    [{ tags: [['team', 'x']] }, true],
    [{ tags: [['team', 'y']] }, false],
    [
      {
        tags: [
          ['team', 'x'],
          ['more', 'z'],
        ],
      },
      false,
    ],
    [{ sizeGreaterThan: 99 }, true],
    [{ sizeGreaterThan: 100 }, false],
    [{ sizeLessThan: 101 }, true],
    [{ sizeLessThan: 100 }, false],
    [{ prefix: 'logs/', sizeLessThan: 101, tags: [['team', 'x']] }, true],
  ] satisfies [LifecycleRule['filter'], boolean][])('with the filter %j: %s', (filter, expires) => {
    expect(expirationOf([days(filter)], object) !== undefined).toBe(expires);
  });

  it('goes by the earliest rule that is enabled', () => {
    const rules = [
      days({}, 9),
      { ...days({}, 3), id: 'first' },
      { ...days({}, 1), enabled: false },
      rule({ expiration: { date: Date.UTC(2026, 11, 1) } }),
      rule({ expiration: { expiredObjectDeleteMarker: true } }),
    ];
    expect(expirationOf(rules, object)).toEqual({ at: Date.UTC(2026, 10, 28), ruleId: 'first' });
    expect(expirationOf([], object)).toBeUndefined();
  });
});

it('a lone delete marker goes at once, or by days; never by tags or size', () => {
  const marker = { key: 'logs/a', modified: NOON };
  const wanted = rule({ expiration: { expiredObjectDeleteMarker: true } });
  expect(markerExpirationOf([wanted], marker)?.at).toBe(NOON);
  expect(markerExpirationOf([rule({ expiration: { expiredObjectDeleteMarker: false } })], marker)).toBeUndefined();
  expect(at(markerExpirationOf([rule({ expiration: { days: 2 } })], marker))).toBe('2026-11-27T00:00:00.000Z');
  expect(markerExpirationOf([{ ...wanted, filter: { sizeLessThan: 5 } }], marker)).toBeUndefined();
  expect(markerExpirationOf([{ ...wanted, filter: { prefix: 'x' } }], marker)).toBeUndefined();
});

it('older versions go by the time they were replaced, and by how many are newer', () => {
  const wanted = rule({ noncurrentExpiration: { days: 1, newerVersions: 2 } });
  const version = { ...object, since: NOON + DAY, deleteMarker: false };
  expect(noncurrentExpirationOf([wanted], { ...version, newer: 1 })).toBeUndefined();
  expect(at(noncurrentExpirationOf([wanted], { ...version, newer: 2 }))).toBe('2026-11-27T00:00:00.000Z');
  const tagged = rule({ noncurrentExpiration: { days: 1 }, filter: { tags: [['team', 'x']] } });
  expect(noncurrentExpirationOf([tagged], { ...version, newer: 0 })).toBeDefined();
  expect(noncurrentExpirationOf([tagged], { ...version, newer: 0, deleteMarker: true })).toBeUndefined();
});

it('uploads go by their beginning', () => {
  const rules = [rule({ abortUploadAfter: 7, filter: { prefix: 'logs/' } })];
  expect(at(abortOf(rules, { key: 'logs/a', initiated: NOON }))).toBe('2026-12-02T00:00:00.000Z');
  expect(abortOf(rules, { key: 'other', initiated: NOON })).toBeUndefined();
});

it('rules are read as they were written', () => {
  const rules = [rule({ expiration: { days: 3 }, filter: { tags: [['a', 'b']], prefix: 'p' }, abortUploadAfter: 1 })];
  expect(decodeLifecycle(encodeLifecycle(rules))).toEqual(rules);
  expect(decodeLifecycle(undefined)).toEqual([]);
});

it('a clock that leaps ahead is waited for, until it is put back or ten minutes have passed', () => {
  let steady = 0;
  let now = NOON;
  const guard = new ClockGuard({ now: () => now }, () => steady);
  const pass = (time: number, leap = 0) => {
    steady += time;
    now += time + leap;
    return guard.leap();
  };
  expect(guard.leap()).toBe(0);
  expect(pass(MINUTE)).toBe(0);
  expect(pass(MINUTE, 5 * MINUTE)).toBe(0);
  expect(pass(MINUTE, 400 * DAY)).toBe(400 * DAY);
  expect(pass(MINUTE)).toBeGreaterThan(0);
  expect(pass(MINUTE, -400 * DAY)).toBe(0);
  expect(pass(MINUTE, 2 * HOUR)).toBeGreaterThan(0);
  expect(pass(11 * MINUTE)).toBe(0);
});
