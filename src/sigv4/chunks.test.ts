import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import {
  type ChunkOptions,
  decodeChunks,
  encodeChunks,
  encodedLength,
  parseTrailerNames,
  SigV4Error,
  signRequest,
} from './index.ts';

const { seed } = signRequest(
  { method: 'PUT', rawPath: '/b/k', rawQuery: '', headers: { host: 'localhost' } },
  { kind: 'streaming', signed: true, trailer: true },
  { accessKeyId: 'AK', secret: new Secret('secret'), region: 'us-east-1', now: Date.UTC(2026, 0, 1) },
);
const trailers = new Map([
  ['x-amz-checksum-crc32', 'AAAAAA=='],
  ['x-amz-meta-late', 'value with spaces'],
]);
const modes = [
  { name: 'signed', seed, trailer: false },
  { name: 'signed, with trailers', seed, trailer: true },
  { name: 'unsigned, with trailers', seed: undefined, trailer: true },
] as const;

describe.each(modes)('$name', (mode) => {
  const encode = (payload: Uint8Array, chunkSize: number) =>
    collect(
      encodeChunks([payload], { seed: mode.seed, chunkSize, trailers: mode.trailer ? () => trailers : undefined }),
    );
  const options = (decodedLength: number): ChunkOptions => ({
    seed: mode.seed,
    decodedLength,
    trailer: mode.trailer,
    trailerNames: mode.trailer ? [...trailers.keys()] : [],
  });

  test('what is encoded decodes, wherever the network splits it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 120 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        async (payload, chunkSize, cuts) => {
          const body = await encode(payload, chunkSize);
          const lengths = new Map([...trailers].map(([name, value]) => [name, value.length]));
          expect(
            encodedLength(payload.length, mode.seed !== undefined, mode.trailer ? lengths : undefined, chunkSize),
          ).toBe(body.length);
          const decode = decodeChunks(options(payload.length));
          expect((await collect(decode(split(body, cuts)))).equals(payload)).toBe(true);
          expect(decode.trailers).toEqual(mode.trailer ? trailers : new Map());
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a body cut short anywhere before its last line end is refused', async () => {
    const payload = Buffer.from('hello, chunks');
    const body = await encode(payload, 5);
    // The CRLF that ends everything may be missing, as it is from some clients; nothing else may.
    for (let length = 0; length < body.length - 2; length += 1) {
      expect(await refusal(body.subarray(0, length), options(payload.length)), `cut at ${length}`).toBeInstanceOf(
        SigV4Error,
      );
    }
  });

  test('any byte changed is refused, or changes only what nothing protects', async () => {
    const payload = Buffer.from('hello, chunks');
    const body = await encode(payload, 5);
    for (let at = 0; at < body.length; at += 1) {
      const changed = Buffer.from(body);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const decode = decodeChunks(options(payload.length));
      const result = await collect(decode(one(changed))).catch((error: unknown) => error);
      if (result instanceof SigV4Error) continue;
      if (mode.seed === undefined) expect(result).toHaveLength(payload.length);
      else expect([result, decode.trailers]).toEqual([payload, mode.trailer ? trailers : new Map()]);
    }
  });

  test('a declared length that is not the payload is refused', async () => {
    const body = await encode(Buffer.from('hello'), 5);
    for (const wrong of [0, 4, 6]) {
      expect(await refusal(body, options(wrong))).toMatchObject({ code: 'IncompleteBody', reason: 'length-mismatch' });
    }
  });
});

describe('framing', () => {
  const unsigned = (decodedLength: number, trailerNames: string[] = []): ChunkOptions => ({
    seed: undefined,
    decodedLength,
    trailer: true,
    trailerNames,
  });
  const crc = ['x-amz-checksum-crc32'];

  test.each([
    [
      'bare line feeds after trailers, a CRLF too many (minio-go)',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n\r\n',
    ],
    ['no CRLF at the very end', '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n'],
    ['a name in capitals, spaces around the value', '5\r\nhello\r\n0\r\nX-Amz-Checksum-Crc32: AAAAAA== \r\n\r\n'],
    ['leading zeros', '0005\r\nhello\r\n000\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n'],
  ])('%s is accepted', async (_, body) => {
    const decode = decodeChunks(unsigned(5, crc));
    expect((await collect(decode(one(Buffer.from(body))))).toString()).toBe('hello');
    expect(decode.trailers.get('x-amz-checksum-crc32')).toBe('AAAAAA==');
  });

  test.each([
    ['no hexadecimal size', 'hello\r\nhello\r\n0\r\n\r\n', 'InvalidChunkSizeError'],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n', 'InvalidChunkSizeError'],
    ['a size of 17 digits', '00000000000000005\r\nhello\r\n0\r\n\r\n', 'InvalidChunkSizeError'],
    ['a huge size', 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n', 'IncompleteBody'],
    ['no CR after the size', '5\nhello\r\n0\r\n\r\n', 'InvalidChunkSizeError'],
    ['more data than the size says', '5\r\nhello!\r\n0\r\n\r\n', 'InvalidChunkSizeError'],
    ['bytes after the end', '5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1', 'InvalidChunkSizeError'],
    ['a line without end', `5${' '.repeat(20_000)}`, 'InvalidChunkSizeError'],
    ['an unannounced trailer', '5\r\nhello\r\n0\r\nx-amz-acl:public-read\r\n\r\n', 'MalformedTrailerError'],
    ['a trailer without a colon', '5\r\nhello\r\n0\r\nx\r\n\r\n', 'MalformedTrailerError'],
    ['no last chunk', '5\r\nhello\r\n', 'IncompleteBody'],
    ['nothing', '', 'IncompleteBody'],
  ])('%s is refused', async (_, body, code) => {
    expect(await refusal(Buffer.from(body), unsigned(5))).toMatchObject({ code });
  });

  test('an announced trailer that is missing or given twice is refused', async () => {
    const line = 'x-amz-checksum-crc32:AAAAAA==\r\n';
    for (const lines of ['', line + line]) {
      const error = await refusal(Buffer.from(`5\r\nhello\r\n0\r\n${lines}\r\n`), unsigned(5, crc));
      expect(error).toMatchObject({ code: 'MalformedTrailerError' });
    }
  });

  test('a signed mode refuses chunks and trailers without signatures', async () => {
    const plain = Buffer.from('5\r\nhello\r\n0\r\n\r\n');
    const error = await refusal(plain, { seed, decodedLength: 5, trailer: false, trailerNames: [] });
    expect(error).toMatchObject({ code: 'SignatureDoesNotMatch', reason: 'chunk-signature' });
    const body = await collect(encodeChunks([Buffer.from('hello')], { seed, trailers: () => trailers }));
    const cut = body.subarray(0, body.indexOf('x-amz-trailer-signature'));
    const options = { seed, decodedLength: 5, trailer: true, trailerNames: [...trailers.keys()] };
    expect(await refusal(Buffer.concat([cut, Buffer.from('\r\n')]), options)).toMatchObject({
      code: 'MalformedTrailerError',
    });
  });

  test('any bytes at all end in a value or a SigV4Error', async () => {
    const piece = fc.oneof(
      fc.constantFrom('0', '5', '\r\n', '\n', ';chunk-signature=', 'a'.repeat(64), ':', 'x'),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), fc.boolean(), async (pieces, signed) => {
        const options = { ...unsigned(5, crc), seed: signed ? seed : undefined };
        const result = await refusal(Buffer.from(pieces.join('')), options);
        expect(result === undefined || result instanceof SigV4Error).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('bytes come out before their chunk is complete', async () => {
    const iterator = decodeChunks(unsigned(1_000_000))(one(Buffer.from('f4240\r\nfirst')));
    expect((await iterator.next()).value?.toString()).toBe('first');
  });
});

test('trailer names are read from x-amz-trailer', () => {
  expect(parseTrailerNames(' X-Amz-Checksum-Crc32 ,x-amz-meta-b,')).toEqual(['x-amz-checksum-crc32', 'x-amz-meta-b']);
  expect(parseTrailerNames(undefined)).toEqual([]);
});

async function refusal(body: Buffer, options: ChunkOptions): Promise<unknown> {
  return collect(decodeChunks(options)(one(body))).then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* one(bytes: Buffer) {
  yield bytes;
}

async function* split(bytes: Buffer, cuts: Iterator<number>) {
  for (let at = 0; at < bytes.length; ) {
    const length = cuts.next().value ?? 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}
