import { expect, test } from 'vitest';
import { parseXml } from '../../src/s3/wire/xml-in.ts';
import { lineChart } from './plot.ts';

const chart = { title: 'a < b & c', xLabel: 'x', yLabel: 'y' };

test('is well-formed, with a line and a dot for each point of each series', () => {
  const svg = lineChart({
    ...chart,
    series: [
      {
        name: 'one',
        points: [
          [1, 10],
          [1000, 100],
        ],
      },
      { name: 'two', points: [[10, 20]] },
    ],
  });
  expect(parseXml(Buffer.from(svg)).name).toBe('svg');
  expect(svg.match(/<polyline /g)).toHaveLength(2);
  expect(svg.match(/<circle /g)).toHaveLength(3);
});

test('more is further right and higher up, by the same way for each tenfold', () => {
  const points: [number, number][] = [
    [1, 1],
    [10, 10],
    [100, 100],
  ];
  const svg = lineChart({ ...chart, series: [{ name: 'one', points }] });
  const [a = [], b = [], c = []] = (/<polyline points="([^"]+)"/.exec(svg)?.[1] ?? '')
    .split(' ')
    .map((pair) => pair.split(',').map(Number));
  const [ax = 0, ay = 0] = a;
  const [bx = 0, by = 0] = b;
  const [cx = 0, cy = 0] = c;
  expect(bx - ax).toBeCloseTo(cx - bx, 0);
  expect(ay - by).toBeCloseTo(by - cy, 0);
  expect(bx).toBeGreaterThan(ax);
  expect(by).toBeLessThan(ay);
});

test('what has no logarithm is refused', () => {
  expect(() => lineChart({ ...chart, series: [{ name: 'one', points: [[1, 0]] }] })).toThrow(RangeError);
  expect(() => lineChart({ ...chart, series: [] })).toThrow(RangeError);
});
