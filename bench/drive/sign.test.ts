import { expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { parseAuthorization, type SigV4Error, verifySignature } from '../../src/sigv4/index.ts';
import { credentials, region } from '../servers/server.ts';
import { listTargets } from './check.ts';
import { payloadDigest, signer, unsignedPayload } from './sign.ts';

const now = new Date('2026-01-02T03:04:05.678Z');

/** Verifies as the server would, the request being whatever the driver puts on the wire. */
function verify(method: string, target: string, signedTarget: string, payload: string): void {
  const { common, authorize } = signer(now, payload);
  const lines = [...common, `Authorization: ${authorize(method, signedTarget)}`];
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const [rawPath = '', rawQuery = ''] = target.split('?');
  const request = { method, rawPath, rawQuery, headers };
  const authorization = parseAuthorization(request);
  if (authorization.kind === 'anonymous') throw new Error('not signed at all');
  expect(authorization.accessKeyId).toBe(credentials.accessKeyId);
  const options = { now: now.getTime(), region, service: 's3' } as const;
  verifySignature(request, authorization, new Secret(credentials.secretAccessKey), options);
}

test.each([
  ['GET', '/bench-list/key-000001'],
  ['GET', listTargets[9] ?? ''],
  ['POST', '/bench/large-0?uploads'],
  ['PUT', '/bench/large-0?partNumber=3&uploadId=a%2Fb'],
  ['DELETE', '/bench/small-plain-0-64-12'],
])('%s %s is signed as the product verifies it', (method, target) => {
  expect(() => verify(method, target, target, unsignedPayload)).not.toThrow();
  expect(() => verify(method, target, target, payloadDigest(Buffer.alloc(1024, 'x')))).not.toThrow();
});

test('a signature for another key is refused', () => {
  const refused = expect.objectContaining<Partial<SigV4Error>>({ code: 'SignatureDoesNotMatch' });
  expect(() => verify('GET', '/bench/b', '/bench/a', unsignedPayload)).toThrow(refused);
});
