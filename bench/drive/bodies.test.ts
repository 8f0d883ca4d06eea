import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodyOf, checkBody, streamedBody } from './bodies.ts';

const size = 2 * 1024 * 1024 + 12_345;

test('the streamed body is the whole body, cut anywhere', async () => {
  const { sink, isWhole } = checkBody(size);
  for await (const block of streamedBody(size)) sink(block);
  expect(isWhole()).toBe(true);
  const body = bodyOf(size);
  fc.assert(
    fc.property(fc.array(fc.nat(size), { maxLength: 8 }), (cuts) => {
      const check = checkBody(size);
      const points = [0, ...cuts.sort((a, b) => a - b), size];
      points.slice(1).forEach((end, index) => {
        check.sink(body.subarray(points[index] ?? 0, end));
      });
      expect(check.isWhole()).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('a changed byte, swapped blocks, a missing and an extra byte are all seen', () => {
  const body = bodyOf(size);
  const wrong = (bytes: Buffer): boolean => {
    const { sink, isWhole } = checkBody(size);
    sink(bytes);
    return !isWhole();
  };
  const changed = Buffer.from(body);
  changed.writeUInt8(changed.readUInt8(size - 1) ^ 1, size - 1);
  const mega = 1024 * 1024;
  const swapped = Buffer.concat([body.subarray(mega, 2 * mega), body.subarray(0, mega), body.subarray(2 * mega)]);
  for (const bytes of [
    changed,
    swapped,
    body.subarray(1),
    body.subarray(0, -1),
    Buffer.concat([body, Buffer.alloc(1)]),
  ]) {
    expect(wrong(bytes)).toBe(true);
  }
});

test('a part sent over and over is checked by its period', () => {
  const part = bodyOf(2 * 1024 * 1024);
  const { sink, isWhole } = checkBody(part.length * 3, part.length);
  for (let time = 0; time < 3; time += 1) sink(part);
  expect(isWhole()).toBe(true);
});
