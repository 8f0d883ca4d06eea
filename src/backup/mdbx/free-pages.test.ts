import fc from 'fast-check';
import { expect, test } from 'vitest';
import { freeInRecord, pagesIn, runsOf } from './free-pages.ts';

const record = (pages: readonly number[], room = 0): Buffer => {
  const bytes = Buffer.alloc(4 + (pages.length + room) * 4);
  bytes.writeUInt32LE(pages.length, 0);
  for (const [index, page] of pages.entries()) bytes.writeUInt32LE(page, 4 + index * 4);
  return bytes;
};

test('a record lists what it counts, whatever room is left in it', () => {
  expect(freeInRecord(record([9, 7, 4], 5))).toEqual([9, 7, 4]);
  expect(freeInRecord(record([]))).toEqual([]);
  expect(freeInRecord(Buffer.alloc(0))).toEqual([]);
});

test('of the beginning of a record what is there is read', () => {
  expect(freeInRecord(record([9, 7, 4]).subarray(0, 14))).toEqual([9, 7]);
});

test('runs hold each page once, in order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300)), (pages) => {
      const runs = runsOf(pages);
      expect([...pagesIn(runs)]).toEqual([...new Set(pages)].sort((a, b) => a - b));
      for (const [index, [first]] of runs.entries()) {
        const before = runs[index - 1];
        if (before !== undefined) expect(first).toBeGreaterThan(before[0] + before[1]);
      }
    }),
  );
});
