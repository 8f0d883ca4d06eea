import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import { encodePart } from './encoding.ts';
import { parseAuthorization, presign, type SignedRequest, signRequest, verifySignature } from './index.ts';

// The AWS SDK's own signer is the other side here: what it signs we accept, and we sign as it does.
const secretText = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: secretText };
const secret = new Secret(secretText);
const region = 'eu-central-1';

class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    if (key === undefined) this.#hash = createHash('sha256');
    else if (typeof key === 'string') this.#hash = createHmac('sha256', key);
    else if (ArrayBuffer.isView(key))
      this.#hash = createHmac('sha256', new Uint8Array(key.buffer, key.byteOffset, key.byteLength));
    else this.#hash = createHmac('sha256', new Uint8Array(key));
  }

  update(bytes: Uint8Array | string): void {
    this.#hash.update(bytes);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

const peer = new SignatureV4({
  credentials,
  region,
  service: 's3',
  sha256: Sha256,
  uriEscapePath: false,
  applyChecksum: false,
});

const text = fc.string({ unit: 'binary', maxLength: 24 });
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const anyRequest = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE', 'POST'),
  key: fc.array(text, { minLength: 1, maxLength: 4 }),
  query: fc.dictionary(
    // The SDK copies names into a plain object, where __proto__ is lost: it would sign another request.
    text.filter((name) => name !== '' && name !== '__proto__' && !/^x-amz-/i.test(name)),
    text,
    { maxKeys: 4, noNullPrototype: true },
  ),
  meta: fc.dictionary(word, fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/), { maxKeys: 4, noNullPrototype: true }),
  now: fc.integer({ min: 1_000_000_000, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
});

test('a request that the SDK signed in the header verifies, and we sign it alike', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, async ({ method, key, query, meta, now }) => {
      const rawPath = `/${key.map(encodePart).join('/')}`;
      const headers: Record<string, string> = { host: 'localhost:9000', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
      for (const [name, value] of Object.entries(meta)) headers[`x-amz-meta-${name}`] = value;
      const signed = await peer.sign(
        { method, protocol: 'http:', hostname: 'localhost', port: 9000, path: rawPath, query, headers },
        { signingDate: new Date(now) },
      );
      const request: SignedRequest = { method, rawPath, rawQuery: raw(query), headers: signed.headers };
      verify(request, now);
      const ours = signRequest({ ...request, headers }, { kind: 'unsigned' }, { ...credentials, secret, region, now });
      expect(ours.headers.authorization).toBe(signed.headers.authorization);
    }),
    { numRuns: 150 },
  );
});

test('a URL that the SDK presigned verifies, and we presign it alike', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyRequest,
      fc.integer({ min: 1, max: 604_800 }),
      async ({ method, key, query, now }, expiresIn) => {
        const rawPath = `/${key.map(encodePart).join('/')}`;
        const headers = { host: 'localhost:9000' };
        const signed = await peer.presign(
          {
            method,
            protocol: 'http:',
            hostname: 'localhost',
            port: 9000,
            path: rawPath,
            query,
            headers: { ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
          },
          {
            signingDate: new Date(now),
            expiresIn,
            unsignableHeaders: new Set(['x-amz-content-sha256']),
            unhoistableHeaders: new Set(['x-amz-content-sha256']),
          },
        );
        const request: SignedRequest = { method, rawPath, rawQuery: raw(signed.query ?? {}), headers };
        verify(request, now);
        const ours = presign({ ...request, rawQuery: raw(query) }, expiresIn, { ...credentials, secret, region, now });
        expect(new URLSearchParams(ours).get('X-Amz-Signature')).toBe(signed.query?.['X-Amz-Signature']);
      },
    ),
    { numRuns: 100 },
  );
});

test('a URL from the S3 presigner verifies', async () => {
  const client = new S3Client({ region, credentials, endpoint: 'http://localhost:9000', forcePathStyle: true });
  for (const Key of ['plain', 'a b/c+d', '../é/☃', 'trailing/', "(')!*~"]) {
    const url = await getSignedUrl(
      client,
      new GetObjectCommand({ Bucket: 'b', Key, ResponseContentType: 'text/plain; x="y z"' }),
    );
    // Not by `new URL`, which would take `..` away: what counts is what a client writes on the wire.
    const [, host = '', rawPath = '', rawQuery = ''] = /^http:\/\/([^/]+)([^?]+)\?(.*)$/.exec(url) ?? [];
    verify({ method: 'GET', rawPath, rawQuery, headers: { host } }, Date.now());
  }
});

function verify(request: SignedRequest, now: number): void {
  const authorization = parseAuthorization(request);
  if (authorization.kind === 'anonymous') throw new Error('the request is not signed');
  verifySignature(request, authorization, secret, { now, region, service: 's3' });
}

function raw(query: Record<string, string | string[] | null>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encodePart(name)}=${encodePart(String(value))}`)
    .join('&');
}
