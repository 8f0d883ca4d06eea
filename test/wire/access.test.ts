import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/checksum/index.ts';
import { isBucketName } from '../../src/s3/bucket-name.ts';
import type { Operation } from '../../src/s3/operation.ts';
import { operations } from '../../src/s3/operations/index.ts';
import { type Ask, startService, stranger, type WireService } from './service.ts';

/** Every operation but those that anyone may call, as the smallest request that reaches it. */
const guarded = operations.filter((operation) => operation.access !== 'anyone');

function requestFor({ route, body }: Operation): { method: string; target: string; ask: Ask } {
  const path = { service: '/', bucket: '/bucket', object: '/bucket/key' }[route.scope];
  const query = Object.entries(route.query ?? {}).map(([name, value]) => {
    if (value !== true) return `${name}=${value}`;
    return name === 'partNumber' ? 'partNumber=1' : name === 'uploadId' ? 'uploadId=u' : name;
  });
  const headers: Record<string, string> = {};
  if (route.header !== undefined) headers['x-amz-copy-source'] = '/bucket/source';
  if (route.query?.attributes !== undefined) headers['x-amz-object-attributes'] = 'ETag';
  const target = query.length === 0 ? path : `${path}?${query.join('&')}`;
  return { method: route.method, target, ask: { headers, ...(body === 'none' ? {} : { body: 'not xml' }) } };
}

describe('who is refused, before anything happens', () => {
  let s3: WireService;
  let denied: WireService;
  beforeAll(async () => {
    s3 = await startService();
    denied = await startService({ authorise: () => false });
    for (const service of [s3, denied]) {
      await service.store.createBucket({ name: 'bucket', owner: 'root', region: 'us-east-1' });
    }
    await s3.ask('PUT', '/bucket/key', { body: 'kept' });
  });
  afterAll(async () => {
    await s3[Symbol.asyncDispose]();
    await denied[Symbol.asyncDispose]();
  });

  it('knows valid fixtures', () => {
    expect(isBucketName('bucket')).toBe(true);
    expect(guarded.length).toBeGreaterThan(35);
  });

  it.each(guarded.map((operation) => [operation.name, operation] as const))(
    '%s: anonymous',
    async (name, operation) => {
      const { method, target, ask } = requestFor(operation);
      const answer = await s3.ask(method, target, { ...ask, as: 'anonymous' });
      expect(answer.status).toBe(403);
      if (method !== 'HEAD') expect(answer.code).toBe('AccessDenied');
      expect(s3.events.at(-1)).toMatchObject({ operation: name, status: 403, code: 'AccessDenied' });
    },
  );

  it.each(guarded.filter(({ access }) => access === 'checks').map((operation) => [operation.name, operation] as const))(
    '%s: a caller whom the rule denies',
    async (name, operation) => {
      const { method, target, ask } = requestFor(operation);
      const answer = await denied.ask(method, target, ask);
      expect(answer.status).toBe(403);
      expect(denied.events.at(-1)).toMatchObject({ operation: name, code: 'AccessDenied', principal: 'root' });
    },
  );

  it('DeleteObjects says for each key that it was denied', async () => {
    const body = '<Delete><Object><Key>key</Key></Object></Delete>';
    const headers = { 'x-amz-checksum-crc32': crc32Base64(body) };
    const answer = await s3.ask('POST', '/bucket?delete', { body, headers, as: stranger });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.text).toContain('<Error><Key>key</Key><Code>AccessDenied</Code>');
  });

  it('another principal has no part in a bucket it does not own', async () => {
    for (const [method, target] of [
      ['GET', '/bucket/key'],
      ['PUT', '/bucket/key'],
      ['DELETE', '/bucket/key'],
      ['GET', '/bucket?list-type=2'],
      ['DELETE', '/bucket'],
    ] as const) {
      expect((await s3.ask(method, target, { as: stranger })).status, `${method} ${target}`).toBe(403);
    }
    expect(await s3.ask('PUT', '/bucket', { as: stranger })).toMatchObject({
      status: 409,
      code: 'BucketAlreadyExists',
    });
    expect(await s3.ask('PUT', '/strangers-own', { as: stranger })).toMatchObject({ status: 200 });
    expect(await s3.ask('PUT', '/strangers-own/key', { as: stranger, body: 'x' })).toMatchObject({ status: 200 });
    const own = await s3.ask('GET', '/', { as: stranger });
    expect(own.text).toContain('<Name>strangers-own</Name>');
    expect(own.text).not.toContain('<Name>bucket</Name>');
    expect((await s3.ask('GET', '/nothing-here?list-type=2', { as: stranger })).code).toBe('NoSuchBucket');
  });

  it('an expected owner that is not the owner', async () => {
    const ask = (owner: string) => s3.ask('GET', '/bucket/key', { headers: { 'x-amz-expected-bucket-owner': owner } });
    expect((await ask('123456789012')).code).toBe('AccessDenied');
    expect((await ask('root')).status).toBe(200);
  });

  it('nothing of all this changed the object', async () => {
    expect((await s3.ask('GET', '/bucket/key')).text).toBe('kept');
  });
});

describe('signatures', () => {
  let s3: WireService;
  beforeAll(async () => {
    s3 = await startService();
    await s3.ask('PUT', '/bucket');
    await s3.ask('PUT', '/bucket/key', { body: 'kept' });
  });
  afterAll(() => s3[Symbol.asyncDispose]());

  it('a wrong secret, an unknown key, another region, an old date, an unsigned header', async () => {
    const wrong = { ...stranger, accessKeyId: 'OWNEROWNEROWNEROWNER' };
    expect((await s3.ask('GET', '/bucket/key', { as: wrong })).code).toBe('SignatureDoesNotMatch');
    const unknown = { ...stranger, accessKeyId: 'NOBODY' };
    expect((await s3.ask('GET', '/bucket/key', { as: unknown })).code).toBe('InvalidAccessKeyId');
    expect((await s3.ask('GET', '/bucket/key', { region: 'eu-west-1' })).code).toBe('AuthorizationHeaderMalformed');
    const old = { now: Date.now() - 16 * 60_000 };
    expect((await s3.ask('GET', '/bucket/key', old)).code).toBe('RequestTimeTooSkewed');
    const added = { unsigned: { 'x-amz-meta-sneaky': 'x' } };
    expect((await s3.ask('PUT', '/bucket/key', added)).code).toBe('AccessDenied');
    const other = { unsigned: { authorization: 'AWS OWNER:signature' } };
    expect((await s3.ask('GET', '/bucket/key', other)).code).toBe('InvalidRequest');
  });

  it('a body that is not the one signed leaves nothing behind', async () => {
    const hex = '0'.repeat(64);
    const answer = await s3.ask('PUT', '/bucket/key', { body: 'other', payload: { kind: 'sha256', hex } });
    expect(answer).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' });
    expect((await s3.ask('GET', '/bucket/key')).text).toBe('kept');
  });
});

function crc32Base64(text: string): string {
  return digestOf('CRC32', Buffer.from(text)).toString('base64');
}
