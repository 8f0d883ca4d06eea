import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentRange, parseCopyRange, parseRange } from './ranges.ts';

describe('parseRange', () => {
  it.each([
    ['bytes=0-4', 10, { start: 0, end: 5 }],
    ['bytes=5-', 10, { start: 5, end: 10 }],
    ['bytes=-3', 10, { start: 7, end: 10 }],
    ['bytes=-30', 10, { start: 0, end: 10 }],
    ['bytes=0-99', 10, { start: 0, end: 10 }],
    ['bytes=9-9', 10, { start: 9, end: 10 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-1', 0, 'unsatisfiable'],
    ['bytes=5-4', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['bytes=a-b', 10, undefined],
    ['bytes=', 10, undefined],
    ['bytes=-', 10, undefined],
    ['items=0-1', 10, undefined],
    [undefined, 10, undefined],
  ])('%s of %i', (header, size, expected) => {
    expect(parseRange(header, size)).toEqual(expected);
  });

  it('never answers bytes that the object does not have', () => {
    const header = fc.oneof(
      fc.string(),
      fc.tuple(fc.option(fc.nat()), fc.option(fc.nat())).map(([a, b]) => `bytes=${a ?? ''}-${b ?? ''}`),
    );
    fc.assert(
      fc.property(header, fc.nat(), (text, size) => {
        const range = parseRange(text, size);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.start).toBeLessThan(range.end);
        expect(range.end).toBeLessThanOrEqual(size);
      }),
    );
  });
});

it('copy ranges must be complete', () => {
  expect(parseCopyRange('bytes=0-9')).toEqual({ start: 0, end: 10 });
  for (const bad of [
    '0-9',
    'bytes=0-',
    'bytes=-9',
    'bytes=9-0',
    'bytes=0-1,2-3',
    'bytes=0 - 9',
    'bytes=hello-world',
    '',
  ]) {
    expect(parseCopyRange(bad), bad).toBeUndefined();
  }
});

it('writes inclusive ends', () => {
  expect(contentRange(0, 5, 10)).toBe('bytes 0-4/10');
});
