import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { percentile, spreadOf } from './percentile.ts';

const finite = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 50 });

describe('percentile', () => {
  test('takes the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile(values, 1)).toBe(100);
    expect(percentile([7], 0)).toBe(7);
  });

  test('of nothing is no number', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('is one of the values, and at least as many as its share are not above it', () => {
    fc.assert(
      fc.property(finite, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const found = percentile(values, share);
        expect(values).toContain(found);
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(
          Math.ceil(values.length * share),
        );
      }),
    );
  });
});

describe('spreadOf', () => {
  test('means the middle two of an even count', () => {
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  });

  test('of nothing holds no numbers', () => {
    expect(spreadOf([]).median).toBeNaN();
  });
});
