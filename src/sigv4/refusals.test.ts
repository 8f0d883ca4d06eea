import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import { formatAmzDate, parseAmzDate } from './dates.ts';
import {
  type Headers,
  parseAuthorization,
  presign,
  type SignedRequest,
  SigV4Error,
  signRequest,
  verifySignature,
} from './index.ts';

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const secret = new Secret('secret');
const signer = { accessKeyId: 'AK/with/slash', secret, region: 'fsn1', now };
const base: SignedRequest = {
  method: 'PUT',
  rawPath: '/bucket/a%20b',
  rawQuery: 'partNumber=1&uploadId=x%2By',
  headers: { host: 'localhost', 'x-amz-meta-a': 'one', 'content-type': 'text/plain' },
};
const inHeader = withHeaders(base, signRequest(base, { kind: 'unsigned' }, signer).headers);
const getRequest: SignedRequest = { method: 'GET', rawPath: '/b/k', rawQuery: '', headers: { host: 'localhost' } };
const inQuery: SignedRequest = { ...getRequest, rawQuery: presign(getRequest, 60, signer) };

test('the untouched requests are accepted, the access key read whole', () => {
  expect(check(inHeader)).toMatchObject({ scope: '20260102/fsn1/s3/aws4_request', amzDate: '20260102T030405Z' });
  expect(check(inQuery)).toMatchObject({ amzDate: '20260102T030405Z' });
  expect(parseAuthorization(inHeader)).toMatchObject({ accessKeyId: 'AK/with/slash', region: 'fsn1' });
  expect(check(inHeader, { region: undefined })).toBeDefined();
});

const ours = (name: string) => String(inHeader.headers[name]);
const authorization = ours('authorization');
const query = (from: string | RegExp, to: string) => ({ ...inQuery, rawQuery: inQuery.rawQuery.replace(from, to) });
const header = (headers: Headers) => withHeaders(inHeader, headers);
const auth = (from: string | RegExp, to: string) => header({ authorization: authorization.replace(from, to) });

const refused: readonly (readonly [string, SignedRequest, string, string])[] = [
  ['another method', { ...inHeader, method: 'GET' }, 'SignatureDoesNotMatch', 'signature-wrong'],
  ['another path', { ...inHeader, rawPath: '/bucket/a%20c' }, 'SignatureDoesNotMatch', 'signature-wrong'],
  [
    'another query',
    { ...inHeader, rawQuery: 'partNumber=2&uploadId=x%2By' },
    'SignatureDoesNotMatch',
    'signature-wrong',
  ],
  [
    'a parameter added',
    { ...inHeader, rawQuery: `${inHeader.rawQuery}&acl` },
    'SignatureDoesNotMatch',
    'signature-wrong',
  ],
  ['a signed header changed', header({ 'x-amz-meta-a': 'two' }), 'SignatureDoesNotMatch', 'signature-wrong'],
  ['a signed header removed', header({ 'x-amz-meta-a': undefined }), 'SignatureDoesNotMatch', 'signature-wrong'],
  ['another host', header({ host: 'elsewhere' }), 'SignatureDoesNotMatch', 'signature-wrong'],
  ['another payload', header({ 'x-amz-content-sha256': 'a'.repeat(64) }), 'SignatureDoesNotMatch', 'signature-wrong'],
  ['an x-amz header added', header({ 'x-amz-acl': 'public-read' }), 'AccessDenied', 'headers-unsigned'],
  ['host not signed', auth('host;', ''), 'AccessDenied', 'headers-unsigned'],
  [
    'a signed header that objects inherit',
    auth('host;', 'constructor;host;'),
    'SignatureDoesNotMatch',
    'signature-wrong',
  ],
  ['another region', auth('/fsn1/', '/nbg1/'), 'AuthorizationHeaderMalformed', 'scope-wrong'],
  ['another service', auth('/s3/', '/iam/'), 'AuthorizationHeaderMalformed', 'scope-wrong'],
  ['another scope date', auth('/20260102/', '/20260101/'), 'AuthorizationHeaderMalformed', 'authorization-malformed'],
  [
    'another terminator',
    auth('aws4_request', 'aws5_request'),
    'AuthorizationHeaderMalformed',
    'authorization-malformed',
  ],
  ['no Credential', auth(/Credential=[^,]*, /, ''), 'AuthorizationHeaderMalformed', 'authorization-malformed'],
  [
    'a short Credential',
    auth(/Credential=[^,]*/, 'Credential=HAHAHA'),
    'AuthorizationHeaderMalformed',
    'authorization-malformed',
  ],
  ['no SignedHeaders', auth(/SignedHeaders=[^,]*, /, ''), 'AuthorizationHeaderMalformed', 'authorization-malformed'],
  ['a short Signature', auth(/.{2}$/, ''), 'AuthorizationHeaderMalformed', 'authorization-malformed'],
  ['a field twice', auth(/$/, ', Signature=x'), 'AuthorizationHeaderMalformed', 'authorization-malformed'],
  ['Signature Version 2', header({ authorization: 'AWS AK:c2ln' }), 'InvalidRequest', 'signature-v2'],
  ['SigV4A', auth('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'), 'NotImplemented', 'authorization-unsupported'],
  ['another scheme', header({ authorization: 'Bearer x' }), 'InvalidArgument', 'authorization-unsupported'],
  ['a date that is none', header({ 'x-amz-date': '20260231T030405Z' }), 'AccessDenied', 'date-invalid'],
  ['no date at all', header({ 'x-amz-date': undefined }), 'AccessDenied', 'date-invalid'],
  ['no payload hash', header({ 'x-amz-content-sha256': undefined }), 'InvalidRequest', 'content-sha256-missing'],
  [
    'a payload hash that is none',
    header({ 'x-amz-content-sha256': 'abc' }),
    'InvalidArgument',
    'content-sha256-invalid',
  ],
  [
    'ECDSA streaming',
    header({ 'x-amz-content-sha256': 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' }),
    'NotImplemented',
    'content-sha256-unsupported',
  ],
  ['both mechanisms', { ...inHeader, rawQuery: inQuery.rawQuery }, 'InvalidArgument', 'mechanisms-mixed'],
  ['a bad escape', { ...inHeader, rawPath: '/bucket/%zz' }, 'InvalidURI', 'uri-invalid'],
  [
    'presigned: a parameter twice',
    query(/$/, '&X-Amz-Expires=60'),
    'AuthorizationQueryParametersError',
    'query-malformed',
  ],
  [
    'presigned: the same, escaped',
    query(/$/, '&X%2DAmz-Expires=60'),
    'AuthorizationQueryParametersError',
    'query-malformed',
  ],
  ['presigned: no date', query(/X-Amz-Date=[^&]*&/, ''), 'AuthorizationQueryParametersError', 'query-malformed'],
  ['presigned: no expiry', query(/X-Amz-Expires=[^&]*&/, ''), 'AuthorizationQueryParametersError', 'query-malformed'],
  ['presigned: negative expiry', query('Expires=60', 'Expires=-1'), 'AccessDenied', 'query-malformed'],
  ['presigned: over a week', query('Expires=60', 'Expires=604801'), 'AccessDenied', 'query-malformed'],
  [
    'presigned: expiry in words',
    query('Expires=60', 'Expires=1e3'),
    'AuthorizationQueryParametersError',
    'query-malformed',
  ],
  ['presigned: expiry changed', query('Expires=60', 'Expires=61'), 'SignatureDoesNotMatch', 'signature-wrong'],
  ['presigned: another algorithm', query('SHA256', 'SHA512'), 'AuthorizationQueryParametersError', 'query-malformed'],
  ['presigned: another region', query('fsn1', 'nbg1'), 'AuthorizationQueryParametersError', 'scope-wrong'],
  ['presigned: another key', { ...inQuery, rawPath: '/b/k2' }, 'SignatureDoesNotMatch', 'signature-wrong'],
  ['presigned: an override added', query(/$/, '&response-content-type=x'), 'SignatureDoesNotMatch', 'signature-wrong'],
  ['presigned: an x-amz header added', withHeaders(inQuery, { 'x-amz-acl': 'x' }), 'AccessDenied', 'headers-unsigned'],
  [
    'query Version 2',
    { ...getRequest, rawQuery: 'AWSAccessKeyId=a&Signature=b&Expires=1' },
    'InvalidRequest',
    'signature-v2',
  ],
  [
    'anonymous with signed chunks',
    withHeaders(getRequest, { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }),
    'AccessDenied',
    'signature-wrong',
  ],
];

test.each(refused)('%s is refused', (_, request, code, reason) => {
  expect(refusal(() => check(request))).toMatchObject({ code, reason });
});

test('a wrong secret is refused; the error document holds what the client needs to compare', () => {
  const error = refusal(() => check(inHeader, {}, new Secret('other')));
  expect(error).toMatchObject({ code: 'SignatureDoesNotMatch' });
  expect(error.elements.CanonicalRequest).toContain('host:localhost');
});

test('a wrong region names the right one', () => {
  expect(refusal(() => check(inHeader, { region: 'hel1' })).elements).toEqual({ Region: 'hel1' });
});

describe('time', () => {
  const minute = 60_000;
  test('15 minutes of skew are tolerated, either way; a second more is not', () => {
    for (const sign of [-1, 1]) {
      expect(check(inHeader, { now: now + sign * 15 * minute })).toBeDefined();
      const late = refusal(() => check(inHeader, { now: now + sign * (15 * minute + 1000) }));
      expect(late).toMatchObject({ code: 'RequestTimeTooSkewed', reason: 'skewed' });
    }
  });

  test('a presigned URL lives from 15 minutes before its date until it expires', () => {
    expect(check(inQuery, { now: now + minute })).toBeDefined();
    expect(refusal(() => check(inQuery, { now: now + minute + 1 }))).toMatchObject({
      code: 'AccessDenied',
      reason: 'expired',
    });
    expect(check(inQuery, { now: now - 15 * minute })).toBeDefined();
    expect(refusal(() => check(inQuery, { now: now - 16 * minute }))).toMatchObject({ reason: 'not-yet-valid' });
  });

  test('the Date header serves where x-amz-date is missing', () => {
    // Other servers' clients sign so; ours does not, so the request is altered until only the signature is wrong.
    const request = header({ 'x-amz-date': undefined, date: 'Fri, 02 Jan 2026 03:04:05 GMT' });
    expect(parseAuthorization(request)).toMatchObject({ timestampMs: now, amzDate: '20260102T030405Z' });
  });

  test('amz dates read back as they were written, and nothing else is one', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        const seconds = Math.floor(date.getTime() / 1000) * 1000;
        expect(parseAmzDate(formatAmzDate(seconds))).toBe(seconds);
      }),
    );
    for (const text of [
      '20260132T000000Z',
      '20261301T000000Z',
      '20260101T240000Z',
      '20260101T006000Z',
      '20260101',
      '00260101T000000Z',
    ]) {
      expect(parseAmzDate(text)).toBeUndefined();
    }
  });
});

test('no Authorization at all, or an empty one, is anonymous', () => {
  expect(parseAuthorization(getRequest)).toEqual({ kind: 'anonymous', payload: { kind: 'unsigned' } });
  expect(parseAuthorization(withHeaders(getRequest, { authorization: '' })).kind).toBe('anonymous');
});

test('whatever stands in the Authorization header or the query, the answer is a value or a SigV4Error', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      'AWS4-HMAC-SHA256 ',
      'Credential=',
      ',',
      '/',
      'SignedHeaders=host',
      'Signature=',
      '=',
      'a'.repeat(64),
      '%',
      '&',
    ),
    fc.constantFrom(
      'X-Amz-Algorithm=AWS4-HMAC-SHA256',
      '&X-Amz-Credential=',
      '&X-Amz-Expires=',
      '&X-Amz-Date=20260102T030405Z',
    ),
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, text, text, (header, rawQuery, path) => {
      const request = {
        ...inHeader,
        rawPath: `/${path}`,
        rawQuery,
        headers: { ...inHeader.headers, authorization: header },
      };
      try {
        check(request);
      } catch (error) {
        expect(error).toBeInstanceOf(SigV4Error);
      }
    }),
    { numRuns: 300 },
  );
});

test('one character of the signature changed is always refused', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.constantFrom(...'0123456789abcdef'), (fromEnd, digit) => {
      const at = authorization.length - fromEnd;
      fc.pre(authorization[at] !== digit);
      const changed = `${authorization.slice(0, at)}${digit}${authorization.slice(at + 1)}`;
      expect(refusal(() => check(header({ authorization: changed }))).code).toBe('SignatureDoesNotMatch');
    }),
  );
});

function check(request: SignedRequest, options: { now?: number; region?: string | undefined } = {}, key = secret) {
  const parsed = parseAuthorization(request);
  if (parsed.kind === 'anonymous') return undefined;
  return verifySignature(request, parsed, key, { now, region: 'fsn1', service: 's3', ...options });
}

function refusal(action: () => unknown): SigV4Error {
  try {
    action();
  } catch (error) {
    if (error instanceof SigV4Error) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

function withHeaders(request: SignedRequest, headers: Headers): SignedRequest {
  return { ...request, headers: { ...request.headers, ...headers } };
}
