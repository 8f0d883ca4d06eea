import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startService, type WireService } from './service.ts';

let s3: WireService;
/** Set by tests: may the caller bypass governance? */
let mayBypass = true;
beforeAll(async () => {
  s3 = await startService({
    authorise: (_, check) => mayBypass || check.action !== 's3:BypassGovernanceRetention',
  });
  const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
  expect((await s3.ask('PUT', '/locked', { headers })).status).toBe(200);
  expect((await s3.ask('PUT', '/plain')).status).toBe(200);
});
afterAll(() => s3[Symbol.asyncDispose]());

const FAR = '2099-01-01T00:00:00.000Z';
const FARTHER = '2099-06-01T00:00:00.000Z';
const bypass = { 'x-amz-bypass-governance-retention': 'true' };
const retention = (mode: string, until: string) => ({
  'x-amz-object-lock-mode': mode,
  'x-amz-object-lock-retain-until-date': until,
});
const retain = (key: string, mode: string, until: string, headers: Readonly<Record<string, string>> = {}) =>
  s3.ask('PUT', `/locked/${key}?retention`, {
    body: `<Retention><Mode>${mode}</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`,
    headers,
  });
const versionOf = (answer: Answer) => String(answer.headers['x-amz-version-id']);
const lockRule = (rule: string) =>
  `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${rule}</ObjectLockConfiguration>`;
const defaultRule = (inner: string) => lockRule(`<Rule><DefaultRetention>${inner}</DefaultRetention></Rule>`);

describe('a bucket with object lock', () => {
  it('has versioning, which cannot be suspended', async () => {
    expect((await s3.ask('GET', '/locked?versioning')).text).toContain('<Status>Enabled</Status>');
    const body = '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>';
    expect(await s3.ask('PUT', '/locked?versioning', { body })).toMatchObject({
      status: 409,
      code: 'InvalidBucketState',
    });
  });

  it('tells its configuration, and others that there is none', async () => {
    expect((await s3.ask('GET', '/locked?object-lock')).text).toContain('<ObjectLockEnabled>Enabled<');
    expect(await s3.ask('GET', '/plain?object-lock')).toMatchObject({
      status: 404,
      code: 'ObjectLockConfigurationNotFoundError',
    });
    expect(await s3.ask('PUT', '/plain?object-lock', { body: lockRule('') })).toMatchObject({
      status: 409,
      code: 'InvalidBucketState',
    });
    for (const ask of ['retention', 'legal-hold']) {
      await s3.ask('PUT', '/plain/k', { body: 'x' });
      expect((await s3.ask('GET', `/plain/k?${ask}`)).code).toBe('InvalidRequest');
    }
    expect(await s3.ask('PUT', '/plain/k', { body: 'x', headers: retention('GOVERNANCE', FAR) })).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
  });

  it.each([
    [defaultRule('<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>'), 'MalformedXML'],
    [defaultRule('<Mode>GOVERNANCE</Mode>'), 'MalformedXML'],
    [defaultRule('<Mode>governance</Mode><Days>1</Days>'), 'MalformedXML'],
    [defaultRule('<Mode>COMPLIANCE</Mode><Days>0</Days>'), 'InvalidRetentionPeriod'],
    [defaultRule('<Mode>COMPLIANCE</Mode><Years>-1</Years>'), 'InvalidRetentionPeriod'],
    [defaultRule('<Mode>COMPLIANCE</Mode><Years>101</Years>'), 'InvalidRetentionPeriod'],
    [lockRule('<Rule/>'), 'MalformedXML'],
    ['<ObjectLockConfiguration/>', 'MalformedXML'],
  ])('refuses %s', async (body, code) => {
    expect(await s3.ask('PUT', '/locked?object-lock', { body })).toMatchObject({ status: 400, code });
  });

  it('gives its default retention to what comes without one', async () => {
    const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
    await s3.ask('PUT', '/default', { headers });
    const body = defaultRule('<Mode>COMPLIANCE</Mode><Days>3</Days>');
    expect((await s3.ask('PUT', '/default?object-lock', { body })).status).toBe(200);
    expect((await s3.ask('GET', '/default?object-lock')).text).toContain('<Mode>COMPLIANCE</Mode><Days>3</Days>');
    const put = await s3.ask('PUT', '/default/k', { body: 'x' });
    const head = await s3.ask('HEAD', '/default/k');
    expect(head.headers['x-amz-object-lock-mode']).toBe('COMPLIANCE');
    const until = Date.parse(String(head.headers['x-amz-object-lock-retain-until-date']));
    expect(Math.abs(until - Date.now() - 3 * 86_400_000)).toBeLessThan(60_000);
    await s3.ask('PUT', '/default/own', { body: 'x', headers: retention('GOVERNANCE', FAR) });
    expect((await s3.ask('HEAD', '/default/own')).headers['x-amz-object-lock-mode']).toBe('GOVERNANCE');
    expect(await s3.ask('DELETE', `/default/k?versionId=${versionOf(put)}`, { headers: bypass })).toMatchObject({
      status: 403,
      code: 'AccessDenied',
    });
  });
});

describe('retention', () => {
  it('of mode governance keeps a version from everybody but who may bypass it', async () => {
    const put = await s3.ask('PUT', '/locked/g', { body: 'x', headers: retention('GOVERNANCE', FAR) });
    const target = `/locked/g?versionId=${versionOf(put)}`;
    expect(await s3.ask('GET', '/locked/g')).toMatchObject({ headers: retention('GOVERNANCE', FAR) });
    expect((await s3.ask('GET', '/locked/g?retention')).text).toContain(`<RetainUntilDate>${FAR}</RetainUntilDate>`);
    // A marker hides the version and deletes nothing.
    expect((await s3.ask('DELETE', '/locked/g')).status).toBe(204);
    expect(await s3.ask('DELETE', target)).toMatchObject({ status: 403, code: 'AccessDenied' });
    mayBypass = false;
    expect(await s3.ask('DELETE', target, { headers: bypass })).toMatchObject({ status: 403, code: 'AccessDenied' });
    mayBypass = true;
    expect((await s3.ask('DELETE', target, { headers: bypass })).status).toBe(204);
    expect((await s3.ask('GET', target)).code).toBe('NoSuchVersion');
  });

  it('may be made longer; shorter or another only with bypass', async () => {
    await s3.ask('PUT', '/locked/change', { body: 'x' });
    expect(await s3.ask('GET', '/locked/change?retention')).toMatchObject({
      status: 404,
      code: 'NoSuchObjectLockConfiguration',
    });
    expect((await retain('change', 'GOVERNANCE', FAR)).status).toBe(200);
    expect((await retain('change', 'GOVERNANCE', FARTHER)).status).toBe(200);
    for (const [mode, until] of [
      ['GOVERNANCE', FAR],
      ['COMPLIANCE', FARTHER],
    ] as const) {
      expect(await retain('change', mode, until)).toMatchObject({ status: 403, code: 'AccessDenied' });
    }
    expect(await s3.ask('PUT', '/locked/change?retention', { body: '<Retention/>' })).toMatchObject({ status: 403 });
    expect((await retain('change', 'GOVERNANCE', FAR, bypass)).status).toBe(200);
    expect((await retain('change', 'COMPLIANCE', FAR, bypass)).status).toBe(200);
    for (const [mode, until] of [
      ['GOVERNANCE', FARTHER],
      ['COMPLIANCE', '2098-01-01T00:00:00Z'],
    ] as const) {
      expect(await retain('change', mode, until, bypass)).toMatchObject({ status: 403, code: 'AccessDenied' });
    }
    expect((await retain('change', 'COMPLIANCE', FARTHER)).status).toBe(200);
  });

  it.each([
    ['<Retention><Mode>abc</Mode><RetainUntilDate>2099-01-01T00:00:00Z</RetainUntilDate></Retention>', 'MalformedXML'],
    ['<Retention><Mode>GOVERNANCE</Mode></Retention>', 'MalformedXML'],
    ['<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>tomorrow</RetainUntilDate></Retention>', 'MalformedXML'],
    [
      '<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2001-01-01T00:00:00Z</RetainUntilDate></Retention>',
      'InvalidArgument',
    ],
  ])('is refused as %s', async (body, code) => {
    await s3.ask('PUT', '/locked/bad', { body: 'x' });
    expect(await s3.ask('PUT', '/locked/bad?retention', { body })).toMatchObject({ status: 400, code });
  });

  it.each([
    [{ 'x-amz-object-lock-mode': 'GOVERNANCE' }],
    [{ 'x-amz-object-lock-retain-until-date': FAR }],
    [retention('governance', FAR)],
    [retention('GOVERNANCE', 'never')],
    [retention('GOVERNANCE', '2001-01-01T00:00:00Z')],
    [{ 'x-amz-object-lock-legal-hold': 'yes' }],
  ])('is refused in headers %o', async (headers) => {
    expect(await s3.ask('PUT', '/locked/bad', { body: 'x', headers })).toMatchObject({
      status: 400,
      code: 'InvalidArgument',
    });
  });

  it('comes with multipart uploads, and is no copy of its source', async () => {
    const headers = { ...retention('GOVERNANCE', FAR), 'x-amz-object-lock-legal-hold': 'ON' };
    const begun = await s3.ask('POST', '/locked/multi?uploads', { headers });
    const uploadId = /<UploadId>([^<]+)</.exec(begun.text)?.[1] ?? '';
    const { headers: part } = await s3.ask('PUT', `/locked/multi?partNumber=1&uploadId=${uploadId}`, { body: 'x' });
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.etag}</ETag></Part></CompleteMultipartUpload>`;
    const done = await s3.ask('POST', `/locked/multi?uploadId=${uploadId}`, { body });
    expect((await s3.ask('HEAD', '/locked/multi')).headers).toMatchObject(headers);
    expect((await s3.ask('DELETE', `/locked/multi?versionId=${versionOf(done)}`, { headers: bypass })).status).toBe(
      403,
    );
    const source = { 'x-amz-copy-source': '/locked/multi' };
    const copied = await s3.ask('PUT', '/locked/copy', { headers: source });
    expect((await s3.ask('HEAD', '/locked/copy')).headers['x-amz-object-lock-mode']).toBeUndefined();
    expect((await s3.ask('DELETE', `/locked/copy?versionId=${versionOf(copied)}`)).status).toBe(204);
    await s3.ask('PUT', '/locked/copy', { headers: { ...source, ...headers } });
    expect((await s3.ask('HEAD', '/locked/copy')).headers).toMatchObject(headers);
  });
});

describe('a legal hold', () => {
  it('keeps a version from everybody until it is lifted', async () => {
    const put = await s3.ask('PUT', '/locked/held', { body: 'x' });
    const target = `/locked/held?versionId=${versionOf(put)}`;
    const hold = (status: string) =>
      s3.ask('PUT', '/locked/held?legal-hold', { body: `<LegalHold><Status>${status}</Status></LegalHold>` });
    expect((await s3.ask('GET', '/locked/held?legal-hold')).code).toBe('NoSuchObjectLockConfiguration');
    expect((await hold('on')).code).toBe('MalformedXML');
    expect((await hold('ON')).status).toBe(200);
    expect((await s3.ask('GET', '/locked/held?legal-hold')).text).toContain('<Status>ON</Status>');
    expect(await s3.ask('DELETE', target, { headers: bypass })).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect((await hold('OFF')).status).toBe(200);
    expect((await s3.ask('HEAD', '/locked/held')).headers['x-amz-object-lock-legal-hold']).toBe('OFF');
    expect((await s3.ask('DELETE', target)).status).toBe(204);
  });
});
