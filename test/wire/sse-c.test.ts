import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type WireService } from './service.ts';

const PREFIX = 'server-side-encryption-customer-';
function headersOf(key: Buffer, of = 'x-amz-'): Record<string, string> {
  return {
    [`${of}${PREFIX}algorithm`]: 'AES256',
    [`${of}${PREFIX}key`]: key.toString('base64'),
    [`${of}${PREFIX}key-md5`]: createHash('md5').update(key).digest('base64'),
  };
}
const key = randomBytes(32);
const other = randomBytes(32);
const withKey = headersOf(key);
const fromKey = headersOf(key, 'x-amz-copy-source-');
const MARK = 'a sentence that must not be on the disk ';
const small = Buffer.from(MARK.repeat(3));
const large = Buffer.concat([Buffer.from(MARK.repeat(30_000)), randomBytes(5 * 1024 * 1024)]);

describe('SSE-C', () => {
  let s3: WireService;
  beforeAll(async () => {
    s3 = await startService();
    await s3.ask('PUT', '/bucket');
    await s3.ask('PUT', '/bucket/plain', { body: 'plain' });
    expect((await s3.ask('PUT', '/bucket/small', { body: small, headers: withKey })).status).toBe(200);
    expect((await s3.ask('PUT', '/bucket/large', { body: large, headers: withKey })).status).toBe(200);
  });
  afterAll(() => s3[Symbol.asyncDispose]());

  it('gives the content back to the key, and says which key it was', async () => {
    for (const [name, content] of [
      ['small', small],
      ['large', large],
    ] as const) {
      const answer = await s3.ask('GET', `/bucket/${name}`, { headers: withKey });
      expect([answer.status, answer.body.equals(content)]).toEqual([200, true]);
      expect(answer.headers[`x-amz-${PREFIX}algorithm`]).toBe('AES256');
      expect(answer.headers[`x-amz-${PREFIX}key-md5`]).toBe(withKey[`x-amz-${PREFIX}key-md5`]);
      expect(answer.headers.etag).not.toBe(`"${createHash('md5').update(content).digest('hex')}"`);
      const head = await s3.ask('HEAD', `/bucket/${name}`, { headers: withKey });
      expect([head.status, head.headers['content-length']]).toEqual([200, content.length.toString()]);
    }
  });

  it.each([
    [0, 1],
    [1_048_570, 1_048_582],
    [2_000_000, 5_000_000],
    [large.length - 5, large.length],
  ])('reads the range %i to %i', async (start, end) => {
    const range = `bytes=${start}-${end - 1}`;
    const answer = await s3.ask('GET', '/bucket/large', { headers: { ...withKey, range } });
    expect([answer.status, answer.body.equals(large.subarray(start, end))]).toEqual([206, true]);
  });

  it.each([
    ['no key', 'small', {}, 'InvalidRequest'],
    ['another key', 'small', headersOf(other), 'InvalidRequest'],
    ['a key for a plain object', 'plain', withKey, 'InvalidRequest'],
    [
      'another algorithm',
      'small',
      { ...withKey, [`x-amz-${PREFIX}algorithm`]: 'AES128' },
      'InvalidEncryptionAlgorithmError',
    ],
    ['a short key', 'small', headersOf(randomBytes(16)), 'InvalidArgument'],
    [
      'the MD5 of another key',
      'small',
      { ...withKey, [`x-amz-${PREFIX}key-md5`]: headersOf(other)[`x-amz-${PREFIX}key-md5`] ?? '' },
      'InvalidArgument',
    ],
    ['only the algorithm', 'small', { [`x-amz-${PREFIX}algorithm`]: 'AES256' }, 'InvalidArgument'],
  ])('refuses %s', async (_, name, headers, code) => {
    const answer = await s3.ask('GET', `/bucket/${name}`, { headers });
    expect([answer.status, answer.code]).toEqual([400, code]);
    expect(answer.text).not.toContain(key.toString('base64'));
    expect((await s3.ask('HEAD', `/bucket/${name}`, { headers })).status).toBe(400);
  });

  it('checks what the client says of the content, and stores nothing when it is wrong', async () => {
    const md5 = createHash('md5').update('other').digest('base64');
    const wrong = await s3.ask('PUT', '/bucket/wrong', { body: small, headers: { ...withKey, 'content-md5': md5 } });
    expect(wrong.code).toBe('BadDigest');
    expect((await s3.ask('HEAD', '/bucket/wrong', { headers: withKey })).status).toBe(404);
    const sum = createHash('sha256').update(small).digest('base64');
    const right = await s3.ask('PUT', '/bucket/sum', {
      body: small,
      headers: { ...withKey, 'x-amz-checksum-sha256': sum },
    });
    expect(right.headers['x-amz-checksum-sha256']).toBe(sum);
  });

  it('takes uploads in parts, each with the key of the upload', async () => {
    const parts = [randomBytes(5 * 1024 * 1024 + 1), randomBytes(5 * 1024 * 1024), randomBytes(17)];
    const made = await s3.ask('POST', '/bucket/parts?uploads', { headers: withKey });
    const id = /<UploadId>(.*)<\/UploadId>/.exec(made.text)?.[1] ?? '';
    const put = (number: number, headers: Record<string, string>) =>
      s3.ask('PUT', `/bucket/parts?partNumber=${number}&uploadId=${id}`, { body: parts[number - 1] ?? '', headers });
    expect((await put(1, {})).code).toBe('InvalidRequest');
    expect((await put(1, headersOf(other))).code).toBe('InvalidRequest');
    let xml = '';
    for (const number of [1, 2, 3]) {
      const { headers } = await put(number, withKey);
      xml += `<Part><PartNumber>${number}</PartNumber><ETag>${headers.etag}</ETag></Part>`;
    }
    const body = `<CompleteMultipartUpload>${xml}</CompleteMultipartUpload>`;
    expect((await s3.ask('POST', `/bucket/parts?uploadId=${id}`, { body })).status).toBe(200);
    const whole = Buffer.concat(parts);
    expect((await s3.ask('GET', '/bucket/parts')).status).toBe(400);
    expect((await s3.ask('GET', '/bucket/parts', { headers: withKey })).body.equals(whole)).toBe(true);
    const second = await s3.ask('GET', '/bucket/parts?partNumber=2', { headers: withKey });
    expect([second.status, second.body.equals(parts[1] ?? whole)]).toEqual([206, true]);
    const range = `bytes=${5 * 1024 * 1024 - 10}-${10 * 1024 * 1024 + 5}`;
    const across = await s3.ask('GET', '/bucket/parts', { headers: { ...withKey, range } });
    expect(across.body.equals(whole.subarray(5 * 1024 * 1024 - 10, 10 * 1024 * 1024 + 6))).toBe(true);
  });

  it('copies only with the source key, into another key, none, or parts', async () => {
    const source = { 'x-amz-copy-source': '/bucket/large' };
    expect((await s3.ask('PUT', '/bucket/copy', { headers: source })).code).toBe('InvalidRequest');
    expect(
      (await s3.ask('PUT', '/bucket/copy', { headers: { ...source, ...headersOf(other, 'x-amz-copy-source-') } })).code,
    ).toBe('InvalidRequest');
    expect((await s3.ask('PUT', '/bucket/copy', { headers: { ...source, ...fromKey } })).status).toBe(200);
    expect((await s3.ask('GET', '/bucket/copy')).body.equals(large)).toBe(true);
    expect(
      (await s3.ask('PUT', '/bucket/copy', { headers: { ...source, ...fromKey, ...headersOf(other) } })).status,
    ).toBe(200);
    expect((await s3.ask('GET', '/bucket/copy', { headers: headersOf(other) })).body.equals(large)).toBe(true);
    expect((await s3.ask('GET', '/bucket/copy', { headers: withKey })).status).toBe(400);
    const onItself = { 'x-amz-copy-source': '/bucket/plain', ...withKey };
    expect((await s3.ask('PUT', '/bucket/plain', { headers: onItself })).status).toBe(200);
    expect((await s3.ask('GET', '/bucket/plain', { headers: withKey })).text).toBe('plain');

    const made = await s3.ask('POST', '/bucket/part-copy?uploads');
    const id = /<UploadId>(.*)<\/UploadId>/.exec(made.text)?.[1] ?? '';
    const copied = await s3.ask('PUT', `/bucket/part-copy?partNumber=1&uploadId=${id}`, {
      headers: { ...source, ...fromKey, 'x-amz-copy-source-range': 'bytes=1000000-1999999' },
    });
    const etag = /<ETag>(.*)<\/ETag>/.exec(copied.text)?.[1] ?? '';
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    await s3.ask('POST', `/bucket/part-copy?uploadId=${id}`, { body });
    expect((await s3.ask('GET', '/bucket/part-copy')).body.equals(large.subarray(1_000_000, 2_000_000))).toBe(true);
  });

  it('leaves neither content nor key on the disk', async () => {
    // Made by nobody but this test, so that plain copies of the tests above do not count.
    await using own = await startService();
    await own.ask('PUT', '/bucket');
    await own.ask('PUT', '/bucket/small', { body: small, headers: withKey });
    await own.ask('PUT', '/bucket/large', { body: large, headers: withKey });
    const files = (await readdir(own.directory, { recursive: true, withFileTypes: true })).filter((file) =>
      file.isFile(),
    );
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const bytes = await readFile(join(file.parentPath, file.name));
      for (const secret of [MARK, key, key.toString('base64'), key.toString('latin1')]) {
        expect(bytes.includes(secret), file.name).toBe(false);
      }
    }
  });
});
