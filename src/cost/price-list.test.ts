import { expect, test } from 'vitest';
import { UsageError } from '../core/errors.ts';
import { parsePriceLists } from './price-list.ts';

const ours = `
provider: ours
currency: EUR
asOf: 2026-11-01
source: our own disks
gigabyte: 1000000000
storagePerGB: 0.02
`;

test('a file holds one list or several, and what it leaves out is free', () => {
  const [one] = parsePriceLists(ours, 'prices.yaml');
  expect(one).toMatchObject({ provider: 'ours', storagePerGB: 0.02, egressPerGB: 0, leastObjectBytes: 0, notes: [] });
  const list = ours.trim().replaceAll('\n', '\n  ');
  expect(parsePriceLists(`- ${list}\n- ${list}`, 'prices.yaml')).toHaveLength(2);
});

test.each([
  ['a: [', /prices\.yaml holds no price list/],
  ['', /file/],
  [ours.replace('EUR', 'euro'), /currency: a currency is three capital letters/],
  [ours.replace('0.02', '-1'), /storagePerGB/],
  [ours.replace('2026-11-01', 'yesterday'), /asOf/],
  [`${ours}storagePerTB: 3\n`, /storagePerTB/],
])('%j is refused by name', (text, message) => {
  expect(() => parsePriceLists(text, 'prices.yaml')).toThrow(UsageError);
  expect(() => parsePriceLists(text, 'prices.yaml')).toThrow(message);
});
