import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MiB } from '../core/sizes.ts';
import { EtagHasher, layoutsOf, ourLayout, partsEtag } from './etag.ts';

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();

test('however the bytes are cut into chunks, the ETag is that of the parts', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 60 }), fc.nat(40), (bytes, part, cut) => {
      const hasher = new EtagHasher([part, Number.POSITIVE_INFINITY]);
      for (let at = 0; at < bytes.length; at += cut + 1) hasher.update(bytes.subarray(at, at + cut + 1));
      const parts: Buffer[] = [];
      for (let at = 0; at === 0 || at < bytes.length; at += part) parts.push(md5(bytes.subarray(at, at + part)));
      const digests = hasher.digest();
      expect(digests.get(part)).toBe(partsEtag(parts));
      expect(digests.size).toBe(2);
      expect(digests.get(Number.POSITIVE_INFINITY)).toBe(md5(bytes).toString('hex'));
    }),
  );
});

test('an ETag tells which parts it may be of', () => {
  const hash = 'd41d8cd98f00b204e9800998ecf8427e';
  expect(layoutsOf(hash, 10)).toEqual([Number.POSITIVE_INFINITY]);
  expect(layoutsOf(`${hash}-3`, 20 * MiB)).toEqual([8 * MiB]);
  expect(layoutsOf(`${hash}-2`, 20 * MiB)).toContain(16 * MiB);
  for (const odd of [undefined, '', 'abc', `${hash}-0`, `${hash}-99999`, `${hash}-x`]) {
    expect(layoutsOf(odd, 20 * MiB)).toEqual([]);
  }
});

test('our parts are never more than 10,000, and an object of 5 TiB fits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 16 * MiB + 1, max: 5 * 1024 ** 4 }), (size) => {
      const layout = ourLayout(size);
      expect(Math.ceil(size / layout)).toBeLessThanOrEqual(10_000);
      expect(layout).toBeGreaterThanOrEqual(16 * MiB);
    }),
  );
  expect(ourLayout(16 * MiB)).toBe(Number.POSITIVE_INFINITY);
});
