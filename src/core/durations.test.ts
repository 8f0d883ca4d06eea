import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './durations.ts';

test.each([
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['31d', 2_678_400_000],
  ['2w', 1_209_600_000],
  ['744h', 2_678_400_000],
  ['250ms', 250],
])('%s is %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

test.each(['', '5', 's', '1.5h', '-1s', '1 h', '1y', '1h ', '9999999999999999w'])('%j is none', (text) =>
  expect(parseDuration(text)).toBeUndefined(),
);

test('what is formatted parses to the same', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
