import { createHash, createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credentialOf, signedForm as signForm } from '../support/signed-form.ts';
import { type Answer, owner, region, startService, type WireService } from './service.ts';

const signer = { accessKeyId: owner.accessKeyId, secretAccessKey: owner.secret.reveal(), region };
const CREDENTIAL = credentialOf(signer);
/** The form that a page of the bucket's owner would hold. */
const signedForm = (fields: Record<string, string>, extra?: readonly unknown[], expires?: number) =>
  signForm(signer, 'bucket', fields, extra, expires);

function formOf(fields: Record<string, string>, file: Buffer | string, name = 'file.txt'): Buffer {
  let head = '';
  for (const [field, value] of Object.entries(fields)) {
    head += `--BOUNDARY\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`;
  }
  head += `--BOUNDARY\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/html\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(file), Buffer.from('\r\n--BOUNDARY--\r\n')]);
}

describe('a form upload', () => {
  let s3: WireService;
  beforeAll(async () => {
    s3 = await startService();
    await s3.ask('PUT', '/bucket');
  });
  afterAll(() => s3[Symbol.asyncDispose]());

  const post = (
    fields: Record<string, string>,
    file: Buffer | string = 'content',
    name?: string,
    target = '/bucket',
  ): Promise<Answer> =>
    s3.ask('POST', target, {
      as: 'anonymous',
      headers: { 'content-type': 'multipart/form-data; boundary=BOUNDARY' },
      body: formOf(fields, file, name),
    });

  it('stores the file with what the form says of it, and answers 204', async () => {
    const tagging = '<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>';
    const answer = await post(
      signedForm({
        key: ['up/', '{filename}'].join('$'),
        'Content-Type': 'text/plain',
        'x-amz-meta-who': 'Ä',
        tagging,
      }),
      'content',
      'ö.txt',
    );
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(answer.headers.etag).toBe(`"${createHash('md5').update('content').digest('hex')}"`);
    const object = await s3.ask('GET', `/bucket/up/${encodeURIComponent('ö.txt')}`);
    expect(object.text).toBe('content');
    expect(object.headers['content-type']).toBe('text/plain');
    expect(Buffer.from(String(object.headers['x-amz-meta-who']), 'latin1').toString()).toBe('Ä');
    expect((await s3.ask('GET', `/bucket/up/${encodeURIComponent('ö.txt')}?tagging`)).text).toContain(
      '<Value>b c</Value>',
    );
  });

  it('streams a large file', async () => {
    const large = randomBytes(9 * 1024 * 1024);
    expect((await post(signedForm({ key: 'large' }), large)).status).toBe(204);
    expect((await s3.ask('GET', '/bucket/large')).body.equals(large)).toBe(true);
  });

  it('answers 200, 201 or a redirect when asked, and 204 for anything else', async () => {
    const made = await post(signedForm({ key: 'made', success_action_status: '201' }));
    expect(made.status).toBe(201);
    expect(made.text).toContain('<Bucket>bucket</Bucket><Key>made</Key>');
    expect((await post(signedForm({ key: 'made', success_action_status: '200' }))).status).toBe(200);
    expect((await post(signedForm({ key: 'made', success_action_status: '302' }))).status).toBe(204);
    const redirected = await post(signedForm({ key: 'a b', success_action_redirect: 'https://example.com/done?x=1' }));
    const etag = createHash('md5').update('content').digest('hex');
    expect([redirected.status, redirected.headers.location]).toEqual([
      303,
      `https://example.com/done?x=1&bucket=bucket&key=a%20b&etag=%22${etag}%22`,
    ]);
    expect((await post(signedForm({ key: 'made', success_action_redirect: 'javascript:alert(1)' }))).status).toBe(204);
  });

  it('takes the older signature as well', async () => {
    const policy = Buffer.from(
      JSON.stringify({ expiration: '2100-01-01T00:00:00Z', conditions: [{ bucket: 'bucket' }, { key: 'v2' }] }),
    ).toString('base64');
    const signature = createHmac('sha1', owner.secret.reveal()).update(policy).digest('base64');
    const form = { key: 'v2', policy, AWSAccessKeyId: owner.accessKeyId };
    expect((await post({ ...form, signature })).status).toBe(204);
    expect((await post({ ...form, signature: signature.split('').reverse().join('') })).code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  const form = signedForm({ key: 'k' });
  const without = (name: string) => Object.fromEntries(Object.entries(form).filter(([field]) => field !== name));
  it.each<[string, Record<string, string>, number, string]>([
    ["nobody's", { key: 'k' }, 403, 'AccessDenied'],
    ['another key', { ...form, key: 'other', 'X-Amz-Meta-A': '1' }, 403, 'AccessDenied'],
    [
      'a policy changed after signing',
      { ...form, policy: Buffer.from(`${Buffer.from(form.policy, 'base64')} `).toString('base64') },
      403,
      'SignatureDoesNotMatch',
    ],
    ['a wrong signature', { ...form, 'X-Amz-Signature': '0'.repeat(64) }, 403, 'SignatureDoesNotMatch'],
    [
      'an unknown key',
      { ...form, 'X-Amz-Credential': CREDENTIAL.replace(owner.accessKeyId, 'NOBODY') },
      403,
      'InvalidAccessKeyId',
    ],
    [
      'another region',
      { ...form, 'X-Amz-Credential': CREDENTIAL.replace(region, 'eu-west-1') },
      400,
      'AuthorizationHeaderMalformed',
    ],
    ['no signature', without('X-Amz-Signature'), 400, 'InvalidArgument'],
    ['no policy', without('policy'), 400, 'InvalidArgument'],
    ['no key', without('key'), 400, 'InvalidArgument'],
    ['an empty key', { ...form, key: '' }, 400, 'InvalidArgument'],
    ['a field that nobody signed for', { ...form, acl: 'public-read' }, 403, 'AccessDenied'],
    ['an expired policy', signedForm({ key: 'k' }, [], Date.now() - 1000), 403, 'AccessDenied'],
    ['a file that is too large', signedForm({ key: 'k' }, [['content-length-range', 0, 6]]), 400, 'EntityTooLarge'],
    ['a file that is too small', signedForm({ key: 'k' }, [['content-length-range', 8, 100]]), 400, 'EntityTooSmall'],
    ['a wrong checksum', signedForm({ key: 'k', 'x-amz-checksum-crc32': 'AAAAAA==' }), 400, 'BadDigest'],
    ['a header in a field', signedForm({ key: 'k', 'Content-Type': 'a\r\nSet-Cookie: b' }), 400, 'InvalidArgument'],
    ['encryption by us', signedForm({ key: 'k', 'x-amz-server-side-encryption': 'AES256' }), 501, 'NotImplemented'],
  ])('refuses %s, and stores nothing', async (_, fields, status, code) => {
    const answer = await post(fields);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect((await s3.ask('HEAD', '/bucket/k')).status).toBe(404);
    expect((await s3.ask('HEAD', '/bucket/other')).status).toBe(404);
  });

  it('refuses a form for another bucket, and one that is no form', async () => {
    await s3.ask('PUT', '/second');
    expect((await post({ ...form, bucket: 'bucket' }, 'x', 'f', '/second')).code).toBe('AccessDenied');
    expect((await post(form, 'x', 'f', '/missing')).status).toBe(403);
    const plain = await s3.ask('POST', '/bucket', {
      as: 'anonymous',
      body: 'a=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([plain.status, plain.code]).toEqual([412, 'PreconditionFailed']);
  });

  it('leaves nothing behind when the browser goes away', async () => {
    const body = formOf(signedForm({ key: 'cut' }), Buffer.alloc(3_000_000));
    const socket = await s3.connect();
    socket.write(
      `POST /bucket HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=BOUNDARY\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body.subarray(0, 2_000_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    for (let tries = 0; tries < 100 && !s3.events.some((event) => event.code === 'IncompleteBody'); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(s3.events.at(-1)?.code).toBe('IncompleteBody');
    expect((await s3.ask('HEAD', '/bucket/cut')).status).toBe(404);
    expect((await s3.store.health()).writable).toBe(true);
  });
});
