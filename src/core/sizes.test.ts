import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { GiB, KiB, MiB, parseBytes } from './sizes.ts';

test.each([
  ['4096', 4096],
  ['64KiB', 64 * KiB],
  ['1.5 GiB', 1.5 * GiB],
  ['10M', 10 * MiB],
  ['10mb', 10 * MiB],
  ['7 B', 7],
])('%s is %d bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

test.each(['', 'KiB', '-1', '1.2345M', '5X', '1 0', '9999999999999T', '1e9'])('%j is none', (text) =>
  expect(parseBytes(text)).toBeUndefined(),
);

it('never throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const bytes = parseBytes(text);
      expect(bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0)).toBe(true);
    }),
  );
});
