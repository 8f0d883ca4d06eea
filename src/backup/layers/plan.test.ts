import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LayerRef } from '../repository/model.ts';
import { applyMerged, FAN, planMerge } from './plan.ts';

let made = 0;
const layer = (level: number, pages: number): LayerRef => {
  made += 1;
  return { name: made.toString(16).padStart(64, '0'), bytes: 1, level, pages, stored: 1 };
};

/** As a merge of pages that overlap by nothing would do it: the worst case. */
function merge(layers: readonly LayerRef[]): { layers: readonly LayerRef[]; pages: number } {
  const plan = planMerge(layers);
  if (plan === undefined) return { layers, pages: 0 };
  const parts = layers.slice(plan.from, plan.from + plan.count);
  const pages = parts.reduce((sum, part) => sum + part.pages, 0);
  const kept = plan.from === 0 ? (layers[0]?.pages ?? 0) : pages;
  const level = plan.from === 0 ? 0 : (parts[0]?.level ?? 0) + 1;
  const by = layer(level, kept);
  return { layers: applyMerged(layers, { names: parts.map(({ name }) => name), by }), pages };
}

test('10,000 increments of an environment are few layers, and each page was written again a few times', () => {
  let layers: readonly LayerRef[] = [layer(0, 1_000_000)];
  let most = 0;
  let rewritten = 0;
  for (let run = 0; run < 10_000; run++) {
    layers = [...layers, layer(0, 10)];
    const merged = merge(layers);
    layers = merged.layers;
    rewritten += merged.pages;
    most = Math.max(most, layers.length);
  }
  expect(most).toBeLessThanOrEqual(1 + 2 * 9 + FAN);
  expect(rewritten / (10_000 * 10)).toBeLessThan(9);
});

test('increments that hold more than a fifth of what the whole layer does are folded within a few runs', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 300 }), (sizes) => {
      let layers: readonly LayerRef[] = [layer(0, 1000)];
      let runs = 0;
      for (const pages of sizes) {
        layers = merge([...layers, layer(0, pages)]).layers;
        const [, ...increments] = layers;
        const sum = increments.reduce((total, one) => total + one.pages, 0);
        // Three increments become one and one comes, then all is folded; two fewer a run where there were more.
        runs = sum > 200 ? runs + 1 : 0;
        expect(runs).toBeLessThanOrEqual(FAN + 10);
      }
    }),
  );
});

test('a run merges at most three layers, and what it merges with the whole layer are two at most', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ level: fc.nat(4), pages: fc.integer({ min: 1, max: 400 }) }), { maxLength: 40 }),
      (increments) => {
        const plan = planMerge([layer(0, 1000), ...increments]);
        if (plan === undefined) return;
        expect(plan.count).toBeLessThanOrEqual(3);
        expect(plan.count).toBeGreaterThan(1);
      },
    ),
  );
});

test('what was merged takes its place only where all of it still is', () => {
  const [a, b, c, d] = [layer(0, 9), layer(0, 1), layer(0, 1), layer(0, 1)];
  const by = layer(1, 2);
  const names = [b.name, c.name];
  expect(applyMerged([a, b, c, d], { names, by })).toEqual([a, by, d]);
  expect(applyMerged([a, c, d], { names, by })).toEqual([a, c, d]);
  expect(applyMerged([a, b, d, c], { names, by })).toEqual([a, b, d, c]);
});
