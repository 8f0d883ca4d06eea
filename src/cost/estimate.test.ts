import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY } from '../core/durations.ts';
import { GiB, KiB, MiB } from '../core/sizes.ts';
import { DAYS_A_MONTH, estimate, type PlaceUsage } from './estimate.ts';
import { priceList } from './price-list.ts';
import { priceLists } from './prices.ts';
import { costJson, costText } from './report.ts';
import { givenUsage } from './usage.ts';

const quiet = { reads: 0, egressBytes: 0 };
const plain = {
  provider: 'x',
  currency: 'EUR',
  asOf: '2026-01-31',
  source: 'a test',
  gigabyte: 1_000_000_000,
} as const;

function logs(bytesPerDay: number, objectBytes: number, days: number | undefined, leasts = [0]): PlaceUsage {
  return {
    use: 'loki',
    usage: givenUsage(bytesPerDay, objectBytes, leasts),
    retention: days === undefined ? undefined : days * DAY,
  };
}

test('storage in the steady state is a day times the retention, what is included is not charged', () => {
  const list = priceList({ ...plain, base: 5, storagePerGB: 0.01, includedGB: 100 });
  const { steady, now } = estimate(list, [logs(10e9, 1e6, 30)], quiet, false);
  expect(steady.lines.find(({ what }) => what === 'storage')).toMatchObject({ amount: 300, included: 100, cost: 2 });
  expect(steady.total).toBeCloseTo(7, 9);
  expect(now).toBeUndefined();
});

test('an object below the least size is billed as one of that size', () => {
  const list = priceList({ ...plain, storagePerGB: 1, leastObjectBytes: 64 * KiB });
  const small = estimate(list, [logs(64 * MiB, KiB, 1, [64 * KiB])], quiet, false);
  const large = estimate(list, [logs(64 * MiB, MiB, 1, [64 * KiB])], quiet, false);
  expect(small.steady.total / large.steady.total).toBeCloseTo(64, 6);
});

test('every object is a write; reads and egress are as given', () => {
  const list = priceList({
    ...plain,
    storagePerGB: 0,
    writesPerThousand: 1,
    includedWrites: 1000,
    readsPerThousand: 0.5,
    egressPerGB: 0.1,
    freeEgressPerStoredGB: 3,
  });
  const traffic = { reads: 4000, egressBytes: 40e9 };
  const { steady } = estimate(list, [logs(1e9, 1e6, 10)], traffic, false);
  const cost = Object.fromEntries(steady.lines.map(({ what, cost }) => [what, cost]));
  expect(cost.writes).toBeCloseTo((1000 * DAYS_A_MONTH - 1000) / 1000, 9);
  expect(cost.reads).toBeCloseTo(2, 9);
  // 10 GB are stored: 30 of the 40 GB leave for nothing.
  expect(cost.egress).toBeCloseTo(1, 9);
});

test('Hetzner as its page says: nothing but the base price up to 1 TB', () => {
  const hetzner = priceLists.find(({ provider }) => provider === 'hetzner');
  if (hetzner === undefined) throw new Error('no list of Hetzner');
  const least = [hetzner.leastObjectBytes];
  expect(estimate(hetzner, [logs(1 * GiB, MiB, 31, least)], quiet, false).steady.total).toBeCloseTo(6.49, 9);
  // 2 TB for a month of 730 hours: one of them at 0.0087 an hour
  expect(estimate(hetzner, [logs(2e12 / 30, 1e6, 30, least)], quiet, false).steady.total).toBeCloseTo(6.49 + 6.351, 3);
});

test('more never costs less, and the reports hold every list', () => {
  const leasts = [...new Set(priceLists.map(({ leastObjectBytes }) => leastObjectBytes))];
  fc.assert(
    fc.property(fc.double({ min: 1, max: 1e13, noNaN: true }), fc.integer({ min: 1, max: 1e9 }), (bytes, object) => {
      const less = [logs(bytes, object, 30, leasts)];
      const more = [logs(bytes * 2, object, 30, leasts)];
      const estimates = priceLists.map((list) => estimate(list, less, quiet, false));
      for (const [at, list] of priceLists.entries()) {
        const total = estimates[at]?.steady.total ?? Number.NaN;
        expect(total).toBeGreaterThanOrEqual(0);
        expect(estimate(list, more, quiet, false).steady.total).toBeGreaterThanOrEqual(total);
      }
      const text = costText(less, estimates, quiet);
      for (const { asOf } of priceLists) expect(text).toContain(`prices of ${asOf}`);
      expect(JSON.parse(JSON.stringify(costJson(less, estimates, quiet)))).toMatchObject({
        estimates: { length: priceLists.length },
      });
    }),
    { numRuns: 50 },
  );
});
