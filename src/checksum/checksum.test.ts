import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Crc32, crc32c, nativeCrc32c, portableCrc32c } from './crc.ts';
import {
  type CrcAlgorithm,
  checksumAlgorithms,
  combineCrc,
  compositeChecksum,
  createHasher,
  type DigestName,
  DigestSet,
  digestLength,
  digestOf,
  fullObjectChecksum,
} from './index.ts';

const names: readonly DigestName[] = [...checksumAlgorithms, 'MD5'];
const crcs: readonly CrcAlgorithm[] = ['CRC32', 'CRC32C', 'CRC64NVME'];

// The CRC catalogue's check values (reveng.sourceforge.io), RFC 1321, FIPS 180: of the ASCII digits 1 to 9.
const published: Readonly<Record<DigestName, string>> = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  MD5: '25f9e794323b453885f5181f1b624d0b',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
};

describe.each(names)('%s', (name) => {
  test('has the published check value', () => {
    expect(digestOf(name, Buffer.from('123456789')).toString('hex')).toBe(published[name]);
    expect(digestOf(name, Buffer.from('123456789'))).toHaveLength(digestLength(name));
  });

  test('is the same however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 8 }), (pieces) => {
        const hasher = createHasher(name);
        for (const piece of pieces) hasher.update(piece);
        expect(hasher.digest()).toEqual(digestOf(name, Buffer.concat(pieces)));
      }),
    );
  });

  test('is the same across sizes that fill internal windows, at any alignment', () => {
    const bytes = pseudoRandom(400_001);
    for (const size of [163_839, 163_840, 180_224, 180_225, 400_000]) {
      const hasher = createHasher(name);
      for (let at = 1; at < size + 1; at += 999) hasher.update(bytes.subarray(at, Math.min(at + 999, size + 1)));
      expect(hasher.digest()).toEqual(digestOf(name, bytes.subarray(1, size + 1)));
    }
  });
});

describe.each(crcs)('combining %s', (algorithm) => {
  test('gives the CRC of the concatenation', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (pieces) => {
        const parts = pieces.map((piece) => ({ digest: digestOf(algorithm, piece), length: piece.length }));
        expect(combineCrc(algorithm, parts)).toEqual(digestOf(algorithm, Buffer.concat(pieces)));
      }),
    );
  });

  test('takes 10,000 parts of 5 GiB in bounded time', () => {
    const digest = digestOf(algorithm, Buffer.from('part'));
    const parts = Array.from({ length: 10_000 }, () => ({ digest, length: 5 * 1024 ** 3 }));
    const started = performance.now();
    combineCrc(algorithm, parts);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

test('native and portable CRC32C agree', () => {
  const native = nativeCrc32c();
  const portable: Crc32 = portableCrc32c();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (one, two) => {
      const whole = portable(Buffer.concat([one, two]), 0);
      expect(portable(two, portable(one, 0))).toBe(whole);
      expect(crc32c(two, crc32c(one, 0))).toBe(whole);
      if (native !== undefined) expect(native(two, native(one, 0))).toBe(whole);
    }),
  );
});

test('a DigestSet computes each named digest once', () => {
  const set = new DigestSet(['MD5', 'CRC32', 'MD5']);
  set.update(Buffer.from('12345'));
  set.update(Buffer.from('6789'));
  const digests = set.digest();
  expect([...digests.keys()]).toEqual(['MD5', 'CRC32']);
  expect(digests.get('CRC32')?.toString('hex')).toBe(published.CRC32);
});

test('composite and full-object checksums are written as S3 writes them', () => {
  const parts = [digestOf('SHA256', Buffer.from('a')), digestOf('SHA256', Buffer.from('b'))];
  const expected = digestOf('SHA256', Buffer.concat(parts)).toString('base64');
  expect(compositeChecksum('SHA256', parts)).toEqual({
    algorithm: 'SHA256',
    type: 'COMPOSITE',
    value: `${expected}-2`,
  });
  expect(fullObjectChecksum('CRC32', Buffer.from('cbf43926', 'hex'))).toEqual({
    algorithm: 'CRC32',
    type: 'FULL_OBJECT',
    value: 'y/Q5Jg==',
  });
});

test('the native module and WebAssembly load inside a worker thread', async () => {
  // Node 20 does not read TypeScript, so what the worker loads is the two engines themselves.
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const { crc32c } = require('@node-rs/crc32');
     parentPort.postMessage([crc32c(Buffer.from('123456789')), typeof WebAssembly.Instance]);`,
    { eval: true },
  );
  const [answer] = await once(worker, 'message');
  await worker.terminate();
  expect(answer).toEqual([0xe3069283, 'function']);
}, 10_000);

function pseudoRandom(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 12345;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}
