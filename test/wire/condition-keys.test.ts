import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { presign } from '../../src/sigv4/index.ts';
import { type Ask, region, startService, stranger, type WireService } from './service.ts';

/** What requests answer when a policy asks. The operators are src/policy's own tests' matter. */
let s3: WireService;
let version: string;
beforeAll(async () => {
  s3 = await startService();
  const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
  expect((await s3.ask('PUT', '/bucket', { headers })).status).toBe(200);
  const made = await s3.ask('PUT', '/bucket/key', { body: 'kept', headers: { 'x-amz-tagging': 'team=a' } });
  version = String(made.headers['x-amz-version-id']);
});
afterAll(() => s3[Symbol.asyncDispose]());
beforeEach(async () => {
  await s3.ask('DELETE', '/bucket?policy');
});

async function policy(...statements: object[]): Promise<void> {
  const Statement = statements.map((fields) => ({
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:*',
    Resource: ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/*'],
    ...fields,
  }));
  const answer = await s3.ask('PUT', '/bucket?policy', { body: JSON.stringify({ Version: '2012-10-17', Statement }) });
  expect(answer.status, answer.text).toBe(204);
}

type Request = readonly [method: string, target: string, ask?: Ask];
const from = (source: string, more = {}) => ({ headers: { 'x-amz-copy-source': source, ...more } });
const put = (headers: Record<string, string>): Request => ['PUT', '/bucket/written', { body: 'x', headers }];
const FAR = '2099-01-01T00:00:00.000Z';
const retain = { 'x-amz-object-lock-mode': 'GOVERNANCE', 'x-amz-object-lock-retain-until-date': FAR };

/** The stranger's account has no other right than the policy's, so each condition decides by itself. */
const cases: readonly (readonly [Condition: object, holds: Request, fails: Request])[] = [
  [
    { StringLike: { 's3:prefix': 'a/*' } },
    ['GET', '/bucket?list-type=2&prefix=a/b'],
    ['GET', '/bucket?list-type=2&prefix=b/'],
  ],
  [{ StringEquals: { 's3:prefix': '' } }, ['GET', '/bucket?prefix='], ['GET', '/bucket']],
  [
    { StringEquals: { 's3:delimiter': '/' } },
    ['GET', '/bucket?versions&delimiter=%2F'],
    ['GET', '/bucket?versions&delimiter=-'],
  ],
  [
    { NumericLessThanEquals: { 's3:max-keys': 10 } },
    ['GET', '/bucket?list-type=2&max-keys=10'],
    ['GET', '/bucket?list-type=2&max-keys=11'],
  ],
  [{ NumericLessThanEquals: { 's3:max-keys': 10 } }, ['GET', '/bucket?max-keys=1'], ['GET', '/bucket']],
  [
    { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
    put({ 'x-amz-acl': 'bucket-owner-full-control' }),
    put({ 'x-amz-acl': 'private' }),
  ],
  [
    { StringEquals: { 's3:x-amz-storage-class': 'STANDARD_IA' } },
    put({ 'x-amz-storage-class': 'STANDARD_IA' }),
    put({}),
  ],
  [
    { StringEquals: { 's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
    ['PUT', '/bucket/written', { body: 'x', payload: { kind: 'unsigned' } }],
    put({}),
  ],
  [
    { StringLike: { 's3:x-amz-copy-source': 'bucket/ke*' } },
    ['PUT', '/bucket/copied', from('%2Fbucket%2Fkey')],
    put({}),
  ],
  [
    { StringEqualsIfExists: { 's3:x-amz-metadata-directive': 'COPY' } },
    ['PUT', '/bucket/copied', from('/bucket/key')],
    ['PUT', '/bucket/copied', from('/bucket/key', { 'x-amz-metadata-directive': 'REPLACE' })],
  ],
  [{ StringEquals: { 's3:if-none-match': '*' } }, put({ 'if-none-match': '*' }), put({})],
  [{ Null: { 's3:if-match': false } }, put({ 'if-match': '*' }), put({})],
  [
    { Bool: { 's3:ObjectCreationOperation': false } },
    ['POST', '/bucket/multi?uploads'],
    ['POST', '/bucket/multi?uploadId=none', { body: '<CompleteMultipartUpload/>' }],
  ],
  [{ Bool: { 's3:ObjectCreationOperation': true } }, put({}), ['POST', '/bucket/multi?uploads']],
  [
    { StringEquals: { 's3:object-lock-mode': 'GOVERNANCE' } },
    put(retain),
    put({ ...retain, 'x-amz-object-lock-mode': 'COMPLIANCE' }),
  ],
  [
    { DateLessThan: { 's3:object-lock-retain-until-date': '2099-01-02T00:00:00Z' } },
    put(retain),
    put({ ...retain, 'x-amz-object-lock-retain-until-date': '2099-01-03T00:00:00Z' }),
  ],
  [
    { StringEquals: { 's3:object-lock-legal-hold': 'OFF' } },
    put({ 'x-amz-object-lock-legal-hold': 'OFF' }),
    put({ 'x-amz-object-lock-legal-hold': 'ON' }),
  ],
  [
    { StringEquals: { 's3:ExistingObjectTag/team': 'a' } },
    ['GET', '/bucket/key'],
    ['GET', '/bucket/key?versionId=null'],
  ],
  [
    { StringEquals: { 's3:RequestObjectTag/team': 'b' } },
    put({ 'x-amz-tagging': 'team=b' }),
    ['PUT', '/bucket/copied', from('/bucket/key', { 'x-amz-tagging': 'team=b' })],
  ],
  [
    {
      'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['team', 'x'] },
      Null: { 's3:RequestObjectTagKeys': false },
    },
    put({ 'x-amz-tagging': 'team=b&x=y' }),
    put({ 'x-amz-tagging': 'team=b&y=x' }),
  ],
  [
    { StringEquals: { 'aws:UserAgent': 'tool/1' } },
    ['GET', '/bucket', { headers: { 'user-agent': 'tool/1' } }],
    put({}),
  ],
  [{ StringEquals: { 's3:authType': 'REST-HEADER' } }, put({}), ['PUT', '/bucket/x', { as: 'anonymous', body: 'x' }]],
  [{ NumericLessThan: { 's3:signatureAge': 600_000 } }, put({}), ['PUT', '/bucket/x', { now: Date.now() - 700_000 }]],
  [{ StringEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } }, put({}), ['GET', '/bucket', { as: 'anonymous' }]],
  [{ StringEquals: { 'aws:PrincipalAccount': 'stranger' } }, put({}), ['GET', '/bucket', { as: 'anonymous' }]],
  [{ StringEquals: { 'aws:PrincipalType': 'Anonymous' } }, ['GET', '/bucket', { as: 'anonymous' }], put({})],
];

describe('a condition', () => {
  it.each(cases.map(([condition, ...requests]) => [JSON.stringify(condition), condition, requests] as const))(
    '%s',
    async (_, Condition, [holds, fails]) => {
      await policy({ Condition });
      const status = async ([method, target, ask]: Request) =>
        (await s3.ask(method, target, { as: stranger, ...ask })).status;
      expect(await status(holds)).not.toBe(403);
      expect(await status(fails)).toBe(403);
    },
  );

  it('on the version that is asked for, whose reads are an action of their own', async () => {
    await policy({ Action: 's3:GetObjectVersion', Condition: { StringEquals: { 's3:VersionId': version } } });
    const get = async (target: string) => (await s3.ask('GET', target, { as: stranger })).status;
    expect(await get(`/bucket/key?versionId=${version}`)).toBe(200);
    expect(await get(`/bucket/key?versionId=${'0'.repeat(32)}`)).toBe(403);
    expect(await get('/bucket/key')).toBe(403);
  });

  it('on a presigned URL tells it from a signed request', async () => {
    await policy({ Condition: { StringEquals: { 's3:authType': 'REST-QUERY-STRING' } } });
    const headers = { host: `127.0.0.1:${s3.port}` };
    const query = presign({ method: 'GET', rawPath: '/bucket/key', rawQuery: '', headers }, 60, {
      ...stranger,
      region,
      now: Date.now(),
    });
    expect((await s3.ask('GET', `/bucket/key?${query}`, { as: 'anonymous' })).text).toBe('kept');
    expect((await s3.ask('GET', '/bucket/key', { as: stranger })).status).toBe(403);
  });
});

describe('as AWS writes them', () => {
  it('only conditional writes may make objects, and parts need no condition', async () => {
    await policy(
      { Action: 's3:PutObject', Resource: 'arn:aws:s3:::bucket/*', Condition: { Null: { 's3:if-none-match': false } } },
      {
        Action: 's3:PutObject',
        Resource: 'arn:aws:s3:::bucket/*',
        Condition: { Bool: { 's3:ObjectCreationOperation': false } },
      },
    );
    const ask = (method: string, target: string, body = '', headers = {}) =>
      s3.ask(method, target, { as: stranger, body, headers });
    const once = { 'if-none-match': '*' };
    expect((await ask('PUT', '/bucket/once', 'x')).status).toBe(403);
    expect((await ask('PUT', '/bucket/once', 'x', once)).status).toBe(200);
    expect((await ask('PUT', '/bucket/once', 'y', once)).status).toBe(412);
    const begun = await ask('POST', '/bucket/parts?uploads');
    const upload = `uploadId=${/<UploadId>([^<]+)</.exec(begun.text)?.[1]}`;
    const part = await ask('PUT', `/bucket/parts?partNumber=1&${upload}`, 'x');
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
    expect((await ask('POST', `/bucket/parts?${upload}`, body)).status).toBe(403);
    expect((await ask('POST', `/bucket/parts?${upload}`, body, once)).status).toBe(200);
  });

  it('no retention for longer than ten days, whether headers or a body ask for it', async () => {
    await policy({
      Effect: 'Deny',
      Action: 's3:PutObjectRetention',
      Resource: 'arn:aws:s3:::bucket/*',
      Condition: { NumericGreaterThan: { 's3:object-lock-remaining-retention-days': 10 } },
    });
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    const byHeaders = (days: number) =>
      s3.ask(...put({ ...retain, 'x-amz-object-lock-retain-until-date': inDays(days) }));
    const byBody = (days: number, headers = {}) =>
      s3.ask('PUT', '/bucket/key?retention', {
        body: `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${inDays(days)}</RetainUntilDate></Retention>`,
        headers,
      });
    expect((await byHeaders(10)).status).toBe(200);
    expect((await byHeaders(11)).status).toBe(403);
    expect((await byBody(10)).status).toBe(200);
    expect((await byBody(30)).status).toBe(403);
    // What counts is what is done, not what a header claims.
    const claim = {
      'x-amz-object-lock-retain-until-date': inDays(1),
      'x-amz-object-lock-remaining-retention-days': '1',
    };
    expect((await byBody(30, claim)).status).toBe(403);
    expect((await s3.ask('HEAD', '/bucket/key')).headers['x-amz-object-lock-mode']).toBe('GOVERNANCE');
  });

  it('no legal hold may be lifted', async () => {
    await policy({
      Effect: 'Deny',
      Action: 's3:PutObjectLegalHold',
      Resource: 'arn:aws:s3:::bucket/*',
      Condition: { StringEquals: { 's3:object-lock-legal-hold': 'OFF' } },
    });
    const hold = (status: string, headers = {}) =>
      s3.ask('PUT', '/bucket/key?legal-hold', { body: `<LegalHold><Status>${status}</Status></LegalHold>`, headers });
    expect((await hold('ON')).status).toBe(200);
    expect((await hold('OFF')).status).toBe(403);
    expect((await hold('OFF', { 'x-amz-object-lock-legal-hold': 'ON' })).status).toBe(403);
    expect((await s3.ask('GET', '/bucket/key?legal-hold')).text).toContain('ON');
  });
});

it('a copy writes no tags for whom may not', async () => {
  await policy({ Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::bucket/*' });
  const copy = async (headers: Record<string, string>) =>
    (await s3.ask('PUT', '/bucket/copied', { as: stranger, ...from('/bucket/key', headers) })).status;
  expect(await copy({})).toBe(200);
  expect(await copy({ 'x-amz-tagging-directive': 'REPLACE' })).toBe(200);
  expect(await copy({ 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'team=b' })).toBe(403);
});
