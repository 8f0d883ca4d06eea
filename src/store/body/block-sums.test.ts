import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BLOCK, BlockSums, blocksIntact, sumsCover } from './block-sums.ts';
import { openInline, sealInline } from './inline.ts';

function sumsOf(bytes: Buffer, pieces: readonly number[]): Buffer {
  const sums = new BlockSums();
  let at = 0;
  for (const piece of pieces) {
    sums.update(bytes.subarray(at, at + piece));
    at += piece;
  }
  sums.update(bytes.subarray(at));
  return sums.finish();
}

const body = Buffer.alloc(3 * BLOCK + 100, 'some bytes of a body ');

it('does not depend on the pieces in which the bytes came', () => {
  const whole = sumsOf(body, []);
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { maxLength: 8 }), (pieces) => {
      expect(sumsOf(body, pieces).equals(whole)).toBe(true);
    }),
  );
  expect(sumsCover(whole, body.length)).toBe(true);
  expect(sumsCover(whole, body.length + BLOCK)).toBe(false);
});

it('finds one flipped bit, in whichever block is read', () => {
  const sums = sumsOf(body, []);
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.nat(7), (at, bit) => {
      const altered = Buffer.from(body);
      altered.writeUInt8((altered.readUInt8(at) ^ (1 << bit)) & 255, at);
      const block = Math.floor(at / BLOCK);
      for (let from = 0; from <= 3; from += 1) {
        const read = altered.subarray(from * BLOCK);
        expect(blocksIntact(sums, from, read)).toBe(from > block);
        expect(blocksIntact(sums, from, read.subarray(0, BLOCK))).toBe(from !== block);
      }
    }),
    { numRuns: 20 },
  );
});

it('trusts no block that it has no sum for', () => {
  expect(blocksIntact(sumsOf(body.subarray(0, BLOCK), []), 1, body.subarray(BLOCK, 2 * BLOCK))).toBe(false);
  expect(blocksIntact(Buffer.of(9, 16, 0, 0), 0, body)).toBe(false);
  expect(blocksIntact(Buffer.alloc(0), 0, body)).toBe(false);
});

it('gives inline bytes back as they were, or not at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), (array, position) => {
      const bytes = Buffer.from(array);
      const sealed = sealInline(bytes);
      expect(openInline(sealed, bytes.length).equals(bytes)).toBe(true);
      sealed.writeUInt8(sealed.readUInt8(position % sealed.length) ^ 1, position % sealed.length);
      expect(() => openInline(sealed, bytes.length)).toThrow();
      expect(() => openInline(sealed.subarray(0, -1), bytes.length)).toThrow();
    }),
  );
  expect(() => openInline(undefined, 3)).toThrow();
});
