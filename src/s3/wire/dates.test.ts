import fc from 'fast-check';
import { expect, it } from 'vitest';
import { httpDate, isoDate, parseHttpDate } from './dates.ts';

const instant = fc.integer({ min: 0, max: 4_102_444_800_000 });

it('formats as Date does, in whole seconds', () => {
  fc.assert(
    fc.property(instant, (time) => {
      expect(isoDate(time)).toBe(`${new Date(time).toISOString().slice(0, 19)}.000Z`);
      expect(httpDate(time)).toBe(new Date(time).toUTCString());
    }),
  );
});

it('reads back what it wrote', () => {
  fc.assert(fc.property(instant, (time) => parseHttpDate(httpDate(time)) === Math.floor(time / 1000) * 1000));
});

it('reads the three formats of RFC 9110 and nothing else', () => {
  const time = Date.UTC(1994, 10, 6, 8, 49, 37);
  expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')).toBe(time);
  expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT')).toBe(time);
  expect(parseHttpDate('Sun Nov  6 08:49:37 1994')).toBe(time);
  for (const bad of ['', '0', '2026-11-23', '1994-11-06T08:49:37Z', 'yesterday', 'Sun, 06 Nov 1994 08:49:37 +0200']) {
    expect(parseHttpDate(bad), bad).toBeUndefined();
  }
  fc.assert(fc.property(fc.string(), (text) => parseHttpDate(text) === undefined));
});
