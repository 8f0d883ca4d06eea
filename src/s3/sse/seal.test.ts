import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreError } from '../../store/errors.ts';
import type { IncomingBody, ObjectInfo, OpenObject } from '../../store/port.ts';
import { CustomerKey } from './customer-key.ts';
import { decryptedObject } from './open.ts';
import { CHUNK, sealedBody } from './seal.ts';

const newKey = () => {
  const bytes = randomBytes(32);
  return new CustomerKey(bytes, createHash('md5').update(bytes).digest('base64'));
};

/** What a store would hold of a body, in pieces as they came. */
async function stored(
  body: IncomingBody,
): Promise<{ readonly bytes: Buffer; readonly sse: string; readonly etag?: string }> {
  const pieces: Buffer[] = [];
  if ('bytes' in body.body) pieces.push(body.body.bytes);
  else for await (const chunk of body.body.chunks) pieces.push(chunk);
  const bytes = Buffer.concat(pieces);
  body.accept(new Map(), bytes.length);
  return { bytes, sse: '', ...body.seal?.() };
}

function opened(bytes: Buffer, info: Partial<ObjectInfo>, pieceSize: number): OpenObject {
  return {
    info: {
      bucket: 'b',
      key: 'k',
      size: bytes.length,
      modified: 0,
      etag: '',
      versionId: undefined,
      checksum: undefined,
      parts: undefined,
      headers: {},
      metadata: {},
      tags: [],
      storageClass: 'STANDARD',
      ...info,
    },
    inline: undefined,
    async *read(start, end) {
      for (let at = start; at < end; at += pieceSize) yield bytes.subarray(at, Math.min(end, at + pieceSize));
    },
    async send() {},
    async close() {},
  };
}

async function all(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const chunk of chunks) pieces.push(chunk);
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const plain = (body: IncomingBody['body']) => ({ body, digests: [] as const, accept: () => undefined });
const sizes = fc.constantFrom(0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7);
const pieces = fc.constantFrom(997, 64 * 1024, CHUNK, 3 * CHUNK);

describe('a sealed body', () => {
  it('has the length of the content, hides it, and any range of it can be read', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, pieces, pieces, fc.nat(), fc.nat(), async (size, written, read, a, b) => {
        const content = randomBytes(size);
        const key = newKey();
        const { bytes, sse } = await stored(
          sealedBody(plain({ chunks: inPieces(content, written), length: size }), key),
        );
        expect(bytes.length).toBe(size);
        if (size > 16) expect(bytes.equals(content)).toBe(false);
        const start = size === 0 ? 0 : a % size;
        const end = start + (size === start ? 0 : b % (size - start + 1));
        const object = decryptedObject(opened(bytes, { sse }, read), key);
        expect((await all(object.read(start, end))).equals(content.subarray(start, end))).toBe(true);
        expect((await all(object.read(0, size))).equals(content)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('is encrypted differently each time, under the same entity tag, which is that of no other key', async () => {
    const key = newKey();
    const [one, two] = await Promise.all(
      [1, 2].map(() => stored(sealedBody(plain({ bytes: Buffer.alloc(100) }), key))),
    );
    expect(one?.bytes.equals(two?.bytes ?? Buffer.alloc(0))).toBe(false);
    expect(one?.sse).not.toBe(two?.sse);
    expect(one?.etag).toMatch(/^[0-9a-f]{32}$/);
    expect(one?.etag).toBe(two?.etag);
    const other = await stored(sealedBody(plain({ bytes: Buffer.alloc(100) }), newKey()));
    expect(other.etag).not.toBe(one?.etag);
  });

  it('digests the content, not what is stored', async () => {
    const content = Buffer.from('content');
    for (const body of [{ bytes: content }, { chunks: inPieces(content, 3), length: 7 }]) {
      let md5 = '';
      const sealed = sealedBody(
        {
          body,
          digests: ['MD5'],
          accept(digests) {
            md5 = digests.get('MD5')?.toString('hex') ?? '';
            return undefined;
          },
        },
        newKey(),
      );
      await stored(sealed);
      expect(md5).toBe(createHash('md5').update(content).digest('hex'));
    }
  });

  it('never gives away a byte of a chunk that was changed, swapped or cut', async () => {
    const content = randomBytes(3 * CHUNK);
    const key = newKey();
    const { bytes, sse } = await stored(
      sealedBody(plain({ chunks: inPieces(content, CHUNK), length: 3 * CHUNK }), key),
    );
    const flipped = Buffer.from(bytes);
    flipped[CHUNK + 5] = (flipped[CHUNK + 5] ?? 0) ^ 1;
    const swapped = Buffer.concat([
      bytes.subarray(CHUNK, 2 * CHUNK),
      bytes.subarray(0, CHUNK),
      bytes.subarray(2 * CHUNK),
    ]);
    const given: Buffer[] = [];
    const take = async (changed: Buffer, start: number, end: number) => {
      for await (const chunk of decryptedObject(opened(changed, { sse }, 65536), key).read(start, end))
        given.push(chunk);
    };
    await expect(take(flipped, CHUNK + 100, CHUNK + 200)).rejects.toThrow(StoreError);
    await expect(take(swapped, 0, 10)).rejects.toThrow(StoreError);
    await expect(take(bytes.subarray(0, 3 * CHUNK - 1), 2 * CHUNK, 2 * CHUNK + 1)).rejects.toThrow(StoreError);
    expect(given).toEqual([]);
    await expect(take(flipped, 0, 2 * CHUNK)).rejects.toThrow(StoreError);
    expect(Buffer.concat(given).equals(content.subarray(0, CHUNK))).toBe(true);
  });

  it('opens with no other key, and its key prints nothing', async () => {
    const key = newKey();
    const { bytes, sse } = await stored(sealedBody(plain({ bytes: Buffer.from('x') }), key));
    expect(() => decryptedObject(opened(bytes, { sse }, 10), newKey())).toThrow(/did not match/);
    expect(() => decryptedObject(opened(bytes, { sse }, 10), undefined)).toThrow(/correct parameters/);
    expect(() => decryptedObject(opened(bytes, {}, 10), key)).toThrow(/not applicable/);
    expect(JSON.stringify(key)).toBe(JSON.stringify({ md5: key.md5 }));
  });
});
