import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type WireService } from './service.ts';

let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
  expect((await s3.ask('PUT', '/bucket')).status).toBe(200);
});
afterAll(() => s3[Symbol.asyncDispose]());

const RULE = '<ID>one</ID><Filter><Prefix>a/</Prefix></Filter><Status>Enabled</Status>';
const days = (n: number) => `<Expiration><Days>${n}</Days></Expiration>`;

function put(rules: string) {
  const body = `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rules}</LifecycleConfiguration>`;
  const md5 = createHash('md5').update(body).digest('base64');
  return s3.ask('PUT', '/bucket?lifecycle', { body, headers: { 'content-md5': md5 } });
}

const rule = (content: string) => `<Rule>${content}</Rule>`;

describe('a lifecycle configuration', () => {
  it('comes back as it was put, and goes', async () => {
    expect(await s3.ask('GET', '/bucket?lifecycle')).toMatchObject({
      status: 404,
      code: 'NoSuchLifecycleConfiguration',
    });
    const rules = [
      `${rule(`<ID>old</ID><Prefix>x/</Prefix><Status>Disabled</Status>${days(3)}`)}`,
      rule(
        '<ID>and</ID><Filter><And><Prefix>p&lt;</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter><Status>Enabled</Status><Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration><NoncurrentVersionExpiration><NoncurrentDays>4</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>',
      ),
      rule(
        '<ID>all</ID><Filter></Filter><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>',
      ),
    ].join('');
    expect((await put(rules)).status).toBe(200);
    const got = await s3.ask('GET', '/bucket?lifecycle');
    expect(got.status).toBe(200);
    expect(got.text).toContain(rules);
    expect((await s3.ask('DELETE', '/bucket?lifecycle')).status).toBe(204);
    expect((await s3.ask('DELETE', '/bucket?lifecycle')).status).toBe(204);
    expect((await s3.ask('GET', '/bucket?lifecycle')).status).toBe(404);
  });

  it.each([
    ['no rule', '', 'MalformedXML'],
    ['no action', rule(RULE), 'InvalidRequest'],
    ['no status', rule(`<ID>a</ID><Filter/>${days(1)}`), 'MalformedXML'],
    ['another status', rule(`<Prefix/><Status>enabled</Status>${days(1)}`), 'MalformedXML'],
    ['neither prefix nor filter', rule(`<Status>Enabled</Status>${days(1)}`), 'MalformedXML'],
    ['prefix and filter', rule(`${RULE}<Prefix/>${days(1)}`), 'MalformedXML'],
    ['no days', rule(`${RULE}${days(0)}`), 'InvalidArgument'],
    ['negative days', rule(`${RULE}${days(-3)}`), 'InvalidArgument'],
    ['two expirations', rule(`${RULE}<Expiration><Days>1</Days><Date>2030-01-01</Date></Expiration>`), 'MalformedXML'],
    ['an hour', rule(`${RULE}<Expiration><Date>2030-01-01T10:00:00Z</Date></Expiration>`), 'InvalidArgument'],
    ['no date', rule(`${RULE}<Expiration><Date>20300101</Date></Expiration>`), 'MalformedXML'],
    ['one id twice', rule(`${RULE}${days(1)}`) + rule(`${RULE}${days(2)}`), 'InvalidArgument'],
    ['a long id', rule(`<ID>${'i'.repeat(256)}</ID><Prefix/><Status>Enabled</Status>${days(1)}`), 'InvalidArgument'],
    [
      'tags with an abort',
      rule(
        '<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>',
      ),
      'InvalidRequest',
    ],
    [
      'a transition',
      rule(`${RULE}${days(9)}<Transition><Days>3</Days><StorageClass>GLACIER</StorageClass></Transition>`),
      'NotImplemented',
    ],
    [
      'a transition with a malformed date',
      rule(`${RULE}<Transition><Date>20220927</Date><StorageClass>GLACIER</StorageClass></Transition>`),
      'MalformedXML',
    ],
    ['something unknown', rule(`${RULE}${days(1)}<Fly/>`), 'MalformedXML'],
  ])('with %s is refused', async (_, rules, code) => {
    expect(await put(rules)).toMatchObject({ code });
    expect((await s3.ask('GET', '/bucket?lifecycle')).status).toBe(404);
  });
});

it('tells clients when an object will expire, and an upload be aborted', async () => {
  const abort =
    '<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>';
  await put(rule(`<ID>on e</ID><Filter><Prefix>a/</Prefix></Filter><Status>Enabled</Status>${days(1)}${abort}`));
  const midnight = new Date(Math.ceil(Date.now() / 86_400_000 + 1) * 86_400_000).toUTCString();
  const expected = `expiry-date="${midnight}", rule-id="on%20e"`;
  const answers = [
    await s3.ask('PUT', '/bucket/a/1', { body: 'x' }),
    await s3.ask('GET', '/bucket/a/1'),
    await s3.ask('HEAD', '/bucket/a/1'),
  ];
  for (const { headers } of answers) expect(headers['x-amz-expiration']).toBe(expected);
  expect((await s3.ask('PUT', '/bucket/b', { body: 'x' })).headers['x-amz-expiration']).toBeUndefined();
  const { headers, text } = await s3.ask('POST', '/bucket/a/2?uploads');
  expect(headers['x-amz-abort-rule-id']).toBe('on%20e');
  expect(Date.parse(String(headers['x-amz-abort-date']))).toBeGreaterThan(Date.now() + 2 * 86_400_000);
  const upload = `/bucket/a/2?uploadId=${/<UploadId>([^<]+)</.exec(text)?.[1]}`;
  const part = await s3.ask('PUT', `${upload}&partNumber=1`, { body: 'x' });
  expect((await s3.ask('GET', upload)).headers).toMatchObject({
    'x-amz-abort-rule-id': 'on%20e',
    'x-amz-abort-date': headers['x-amz-abort-date'],
  });
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
  const copy = { 'x-amz-copy-source': '/bucket/b' };
  for (const made of [await s3.ask('POST', upload, { body }), await s3.ask('PUT', '/bucket/a/3', { headers: copy })]) {
    expect(made).toMatchObject({ status: 200, headers: { 'x-amz-expiration': expected } });
  }
  const away = await s3.ask('PUT', '/bucket/c', { headers: { 'x-amz-copy-source': '/bucket/a/1' } });
  expect([away.status, away.headers['x-amz-expiration']]).toEqual([200, undefined]);
});
