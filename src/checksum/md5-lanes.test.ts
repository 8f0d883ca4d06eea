import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Md5Lanes, Md5Message } from './md5-lanes.ts';

const lanes = new Md5Lanes();

// RFC 1321, appendix A.5.
test.each([
  ['', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['a', '0cc175b9c0f1b6a831c399e269772661'],
  ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
  [
    '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
    '57edf4a22be3c955ac49da2e2107b67a',
  ],
])('%j has its published digest', (text, digest) => {
  const message = new Md5Message();
  lanes.update([{ message, bytes: Buffer.from(text) }]);
  expect(lanes.digest(message).toString('hex')).toBe(digest);
});

test('any number of messages, cut and mixed in any way, have the digests that OpenSSL gives', () => {
  const batches = fc.array(
    fc.array(fc.tuple(fc.nat(5), fc.oneof(fc.nat(200), fc.nat(3000), fc.constantFrom(55, 56, 63, 64, 65, 33_000))), {
      maxLength: 9,
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(batches, (calls) => {
      const ours = Array.from({ length: 6 }, () => new Md5Message());
      const theirs = ours.map(() => createHash('md5'));
      for (const call of calls) {
        const pieces = call.map(([number, size]) => ({ number, bytes: randomBytes(size) }));
        for (const { number, bytes } of pieces) theirs[number]?.update(bytes);
        lanes.update(
          pieces.flatMap(({ number, bytes }) => {
            const message = ours[number];
            return message === undefined ? [] : [{ message, bytes }];
          }),
        );
      }
      expect(ours.map((message) => lanes.digest(message).toString('hex'))).toEqual(
        theirs.map((digest) => digest.digest('hex')),
      );
    }),
    { numRuns: 200 },
  );
});
