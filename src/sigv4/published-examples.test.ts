import { describe, expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import { SignatureChain } from './chunk-signature.ts';
import {
  decodeChunks,
  encodeChunks,
  encodedLength,
  type Headers,
  type PayloadMode,
  parseAuthorization,
  presign,
  type SignedRequest,
  signRequest,
  verifySignature,
} from './index.ts';
import { sha256Hex } from './keys.ts';

// Amazon S3 API Reference: "Signature calculations for the Authorization header" (single chunk, multiple chunks, with
// trailing headers) and "Authenticating requests: using query parameters". Keys, dates and signatures are AWS's.
const signer = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secret: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
  region: 'us-east-1',
  now: Date.UTC(2013, 4, 24),
};
const accept = { now: signer.now, region: 'us-east-1', service: 's3' } as const;
const host = 'examplebucket.s3.amazonaws.com';

interface Example {
  readonly name: string;
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery?: string;
  readonly headers?: Headers;
  readonly payload?: PayloadMode;
  readonly signature: string;
}

const examples: readonly Example[] = [
  {
    name: 'GET Object',
    method: 'GET',
    rawPath: '/test.txt',
    headers: { range: 'bytes=0-9' },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    name: 'PUT Object',
    method: 'PUT',
    rawPath: '/test$file.text',
    headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    payload: { kind: 'sha256', hex: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072' },
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    name: 'GET Bucket lifecycle',
    method: 'GET',
    rawPath: '/',
    rawQuery: 'lifecycle',
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    name: 'GET Bucket (list objects)',
    method: 'GET',
    rawPath: '/',
    rawQuery: 'max-keys=2&prefix=J',
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
];

test.each(examples)('$name', ({ method, rawPath, rawQuery = '', headers = {}, payload, signature }) => {
  const request: SignedRequest = { method, rawPath, rawQuery, headers: { host, ...headers } };
  const signed = signRequest(request, payload ?? { kind: 'empty' }, signer);
  expect(signed.headers.authorization).toContain(`Signature=${signature}`);
  verify({ ...request, headers: { ...request.headers, ...signed.headers } });
});

test('a presigned GET', () => {
  const request = { method: 'GET', rawPath: '/test.txt', rawQuery: '', headers: { host } };
  const rawQuery = presign(request, 86_400, signer);
  expect(rawQuery).toContain('X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404');
  verify({ ...request, rawQuery });
});

describe('PUT in chunks', () => {
  const upload = (headers: Headers): SignedRequest => ({
    method: 'PUT',
    rawPath: '/examplebucket/chunkObject.txt',
    rawQuery: '',
    headers: {
      host: 's3.amazonaws.com',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': '66560',
      ...headers,
    },
  });
  const chunks = [sha256Hex('a'.repeat(65_536)), sha256Hex('a'.repeat(1024)), sha256Hex('')];

  test('signed', async () => {
    const request = upload({ 'content-length': '66824' });
    const { headers, seed } = signRequest(request, { kind: 'streaming', signed: true, trailer: false }, signer);
    expect(seed.seedSignature).toBe('4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9');
    const chain = new SignatureChain(seed);
    expect(chunks.map((hash) => chain.chunk(hash))).toEqual([
      'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
    ]);
    const body = await collect(encodeChunks([Buffer.alloc(66_560, 'a')], { seed }));
    expect(body).toHaveLength(66_824);
    expect(encodedLength(66_560, true, undefined)).toBe(66_824);
    const verified = verify({ ...request, headers: { ...request.headers, ...headers } });
    const decode = decodeChunks({ seed: verified, decodedLength: 66_560, trailer: false, trailerNames: [] });
    expect((await collect(decode(one(body)))).equals(Buffer.alloc(66_560, 'a'))).toBe(true);
  });

  test('signed, with a trailer', async () => {
    const request = upload({ 'x-amz-trailer': 'x-amz-checksum-crc32c' });
    const { headers, seed } = signRequest(request, { kind: 'streaming', signed: true, trailer: true }, signer);
    expect(seed.seedSignature).toBe('106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e');
    const chain = new SignatureChain(seed);
    expect(chunks.map((hash) => chain.chunk(hash))).toEqual([
      'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
      '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
    ]);
    const trailers = new Map([['x-amz-checksum-crc32c', 'sOO8/Q==']]);
    expect(chain.trailer(trailers)).toBe('d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435');
    const body = await collect(encodeChunks([Buffer.alloc(66_560, 'a')], { seed, trailers: () => trailers }));
    expect(encodedLength(66_560, true, new Map([['x-amz-checksum-crc32c', 8]]))).toBe(body.length);
    const verified = verify({ ...request, headers: { ...request.headers, ...headers } });
    const trailerNames = ['x-amz-checksum-crc32c'];
    const decode = decodeChunks({ seed: verified, decodedLength: 66_560, trailer: true, trailerNames });
    expect(await collect(decode(one(body)))).toHaveLength(66_560);
    expect(decode.trailers).toEqual(trailers);
  });
});

function verify(request: SignedRequest) {
  const authorization = parseAuthorization(request);
  if (authorization.kind === 'anonymous') throw new Error('the request is not signed');
  return verifySignature(request, authorization, signer.secret, accept);
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* one(bytes: Buffer) {
  yield bytes;
}
