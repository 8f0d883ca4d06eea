import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService } from './service.js';

let s3;
beforeAll(async () => {
  s3 = await startService();
  expect((await s3.ask('PUT', '/bucket')).status).toBe(200);
});
afterAll(() => s3[Symbol.asyncDispose]());
describe('an object', () => {
  it('comes back as it was put', async () => {
    const put = await s3.ask('PUT', '/bucket/a/b', { body: 'hello', headers: { 'x-amz-meta-colour': 'blue' } });
    expect(put).toMatchObject({ status: 200, headers: { etag: '"5d41402abc4b2a76b9719d911017c592"' } });
    const get = await s3.ask('GET', '/bucket/a/b');
    expect(get).toMatchObject({ status: 200, text: 'hello' });
    expect(get.headers).toMatchObject({
      'content-length': '5',
      'content-type': 'binary/octet-stream',
      'accept-ranges': 'bytes',
      'x-amz-meta-colour': 'blue',
    });
    const head = await s3.ask('HEAD', '/bucket/a/b');
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': '5' } });
    const list = await s3.ask('GET', '/bucket?list-type=2&prefix=a');
    expect(list.text).toContain('<Key>a/b</Key>');
    expect((await s3.ask('DELETE', '/bucket/a/b')).status).toBe(204);
    expect(await s3.ask('GET', '/bucket/a/b')).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });
});
