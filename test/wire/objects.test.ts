import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChecksumAlgorithm, checksumAlgorithms, digestOf } from '../../src/checksum/index.ts';
import { encodeChunks, presign } from '../../src/sigv4/index.ts';
import { owner, region, signed as sign, startService, type WireService } from './service.ts';

let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
  expect((await s3.ask('PUT', '/bucket')).status).toBe(200);
  expect((await s3.ask('PUT', '/bucket')).status).toBe(200);
});
afterAll(() => s3[Symbol.asyncDispose]());

const sum = (algorithm: ChecksumAlgorithm, bytes: Buffer) => digestOf(algorithm, bytes).toString('base64');

describe('an object', () => {
  it.each([0, 1, 1024, 65_536, 65_537, 3_000_000])('of %i bytes comes back as it was put', async (size) => {
    const body = Buffer.alloc(size, 'body ');
    const headers = {
      'x-amz-meta-colour': 'blue',
      'content-encoding': 'aws-chunked,gzip',
      'cache-control': 'no-store',
    };
    const put = await s3.ask('PUT', '/bucket/a/b', { body, headers });
    expect(put.status).toBe(200);
    const get = await s3.ask('GET', '/bucket/a/b');
    expect(get.status).toBe(200);
    expect(get.body.equals(body)).toBe(true);
    expect(get.headers).toMatchObject({
      etag: put.headers.etag,
      'content-length': size.toString(),
      'content-type': 'binary/octet-stream',
      'content-encoding': 'gzip',
      'cache-control': 'no-store',
      'accept-ranges': 'bytes',
      'x-amz-meta-colour': 'blue',
    });
    const head = await s3.ask('HEAD', '/bucket/a/b');
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-length': size.toString() } });
    expect((await s3.ask('DELETE', '/bucket/a/b')).status).toBe(204);
    expect((await s3.ask('DELETE', '/bucket/a/b')).status).toBe(204);
    expect(await s3.ask('GET', '/bucket/a/b')).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });

  it('keeps UTF-8 metadata byte for byte', async () => {
    const latin1 = Buffer.from('größe €').toString('latin1');
    const put = await plain('PUT', presigned('PUT', '/bucket/meta'), { 'x-amz-meta-a': latin1, 'content-length': '0' });
    // An unsigned x-amz header is refused, so the value goes into the query instead.
    expect(put.status).toBe(403);
    const inQuery = presigned('PUT', '/bucket/meta', `x-amz-meta-a=${encodeURIComponent('größe €')}`);
    expect((await plain('PUT', inQuery, { 'content-length': '0' })).status).toBe(200);
    const head = await s3.ask('HEAD', '/bucket/meta');
    expect(Buffer.from(String(head.headers['x-amz-meta-a']), 'latin1').toString()).toBe('größe €');
    await s3.ask('DELETE', '/bucket/meta');
  });

  it('has ranges and conditions', async () => {
    const put = await s3.ask('PUT', '/bucket/key', { body: '0123456789' });
    const etag = String(put.headers.etag);
    const get = (headers: Record<string, string>) => s3.ask('GET', '/bucket/key', { headers });
    expect(await get({ range: 'bytes=2-4' })).toMatchObject({
      status: 206,
      text: '234',
      headers: { 'content-range': 'bytes 2-4/10', 'content-length': '3' },
    });
    const beyond = await get({ range: 'bytes=10-' });
    expect(beyond).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */10' } });
    expect(await get({ 'if-match': etag })).toMatchObject({ status: 200 });
    expect(await get({ 'if-match': '"x"' })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await get({ 'if-none-match': etag })).toMatchObject({ status: 304, text: '', headers: { etag } });
    expect(await get({ 'if-none-match': '"x"' })).toMatchObject({ status: 200 });
    const past = 'Thu, 01 Jan 2015 00:00:00 GMT';
    const future = 'Thu, 01 Jan 2099 00:00:00 GMT';
    expect(await get({ 'if-modified-since': future })).toMatchObject({ status: 304 });
    expect(await get({ 'if-modified-since': past })).toMatchObject({ status: 200 });
    expect(await get({ 'if-unmodified-since': past })).toMatchObject({ status: 412 });
    expect(await get({ 'if-match': etag, 'if-unmodified-since': past })).toMatchObject({ status: 200 });
    expect(await get({ 'if-none-match': '"x"', 'if-modified-since': future })).toMatchObject({ status: 200 });
    expect(await get({ range: 'bytes=0-1', 'if-range': '"x"' })).toMatchObject({ status: 200 });
    expect(await get({ range: 'bytes=0-1', 'if-range': etag })).toMatchObject({ status: 206 });
    const write = (headers: Record<string, string>) => s3.ask('PUT', '/bucket/key', { body: '0123456789', headers });
    expect((await write({ 'if-match': etag })).status).toBe(200);
    expect((await write({ 'if-match': etag.slice(1, -1) })).status).toBe(200);
    expect((await write({ 'if-none-match': '*' })).status).toBe(412);
    expect((await s3.ask('PUT', '/bucket/absent', { body: '', headers: { 'if-match': etag } })).code).toBe('NoSuchKey');
  });

  it('overrides headers on request', async () => {
    const answer = await s3.ask('GET', '/bucket/key?response-content-type=text%2Fplain&response-expires=never');
    expect(answer.headers).toMatchObject({ 'content-type': 'text/plain', expires: 'never' });
  });

  it('has tags', async () => {
    await s3.ask('PUT', '/bucket/key', { body: '0123456789', headers: { 'x-amz-tagging': 'a=1&b=x%20y' } });
    expect((await s3.ask('HEAD', '/bucket/key')).headers['x-amz-tagging-count']).toBe('2');
    const read = () => s3.ask('GET', '/bucket/key?tagging');
    expect((await read()).text).toContain('<Tag><Key>b</Key><Value>x y</Value></Tag>');
    const body = '<Tagging><TagSet><Tag><Key>c</Key><Value></Value></Tag></TagSet></Tagging>';
    expect((await s3.ask('PUT', '/bucket/key?tagging', { body })).status).toBe(200);
    expect((await read()).text).toContain('<TagSet><Tag><Key>c</Key><Value></Value></Tag></TagSet>');
    expect((await s3.ask('DELETE', '/bucket/key?tagging')).status).toBe(204);
    expect((await read()).text).toContain('<TagSet></TagSet>');
    expect((await s3.ask('GET', '/bucket/nothing?tagging')).code).toBe('NoSuchKey');
  });

  it('is copied with its metadata, or with new', async () => {
    await s3.ask('PUT', '/bucket/from', { body: 'copied', headers: { 'x-amz-meta-a': '1', 'x-amz-tagging': 't=1' } });
    const copy = (headers: Record<string, string>) =>
      s3.ask('PUT', '/bucket/to%2B', { headers: { 'x-amz-copy-source': '/bucket/from', ...headers } });
    expect((await copy({})).text).toContain('<CopyObjectResult');
    expect(await s3.ask('GET', '/bucket/to%2B')).toMatchObject({
      text: 'copied',
      headers: { 'x-amz-meta-a': '1', 'x-amz-tagging-count': '1' },
    });
    await copy({ 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-b': '2', 'x-amz-tagging-directive': 'REPLACE' });
    const replaced = await s3.ask('GET', '/bucket/to%2B');
    expect(replaced.headers['x-amz-meta-a']).toBeUndefined();
    expect(replaced.headers).toMatchObject({ 'x-amz-meta-b': '2' });
    expect(replaced.headers['x-amz-tagging-count']).toBeUndefined();
    expect((await copy({ 'x-amz-copy-source-if-match': '"x"' })).code).toBe('PreconditionFailed');
    expect((await copy({ 'if-none-match': '*' })).code).toBe('PreconditionFailed');
    expect((await copy({ 'x-amz-metadata-directive': 'KEEP' })).code).toBe('InvalidArgument');
    const source = await s3.ask('GET', '/bucket/from');
    const none = await copy({ 'x-amz-copy-source-if-none-match': String(source.headers.etag) });
    expect(none).toMatchObject({ status: 412, code: 'PreconditionFailed' });
  });

  it.each(checksumAlgorithms)('stores and answers %s, and refuses another', async (algorithm) => {
    const body = Buffer.from('checked');
    const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
    const put = await s3.ask('PUT', '/bucket/sum', { body, headers: { [name]: sum(algorithm, body) } });
    expect(put.headers[name]).toBe(sum(algorithm, body));
    const wrong = await s3.ask('PUT', '/bucket/sum', { body: 'other', headers: { [name]: sum(algorithm, body) } });
    expect(wrong).toMatchObject({ status: 400, code: 'BadDigest' });
    const get = await s3.ask('GET', '/bucket/sum', { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    expect(get).toMatchObject({ text: 'checked', headers: { [name]: sum(algorithm, body) } });
    const ranged = await s3.ask('GET', '/bucket/sum', {
      headers: { 'x-amz-checksum-mode': 'ENABLED', range: 'bytes=0-1' },
    });
    expect(ranged.headers[name]).toBeUndefined();
    expect((await s3.ask('GET', '/bucket/sum')).headers[name]).toBeUndefined();
  });
});

describe('streaming bodies', () => {
  const body = Buffer.alloc(200_000, 'stream ');
  const modes = [
    ['signed', true, false],
    ['signed with trailer', true, true],
    ['unsigned with trailer', false, true],
  ] as const;

  /** Sends with `Transfer-Encoding: chunked`, as SDKs do. */
  async function stream(signed: boolean, trailer: boolean, value: string, alter = (bytes: Buffer) => bytes) {
    const target = '/bucket/streamed';
    const headers: Record<string, string> = { 'x-amz-decoded-content-length': body.length.toString() };
    if (trailer) headers['x-amz-trailer'] = 'x-amz-checksum-crc32c';
    const request = sign(s3.port, 'PUT', target, { headers, payload: { kind: 'streaming', signed, trailer } });
    const seed = signed ? request.seed : undefined;
    const trailers = trailer ? () => new Map([['x-amz-checksum-crc32c', value]]) : undefined;
    const chunks: Buffer[] = [];
    for await (const chunk of encodeChunks([body], { seed, trailers })) chunks.push(chunk);
    return plain(
      'PUT',
      target,
      { ...request.headers, 'content-encoding': 'aws-chunked' },
      alter(Buffer.concat(chunks)),
    );
  }

  it.each(modes)('%s', async (_, signed, trailer) => {
    const put = await stream(signed, trailer, sum('CRC32C', body));
    expect(put.status).toBe(200);
    const get = await s3.ask('GET', '/bucket/streamed', { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    expect(get.body.equals(body)).toBe(true);
    expect(get.headers['content-encoding']).toBeUndefined();
    expect(get.headers['x-amz-checksum-crc32c']).toBe(trailer ? sum('CRC32C', body) : undefined);
    await s3.ask('DELETE', '/bucket/streamed');
  });

  it('a wrong trailer, a changed byte and a missing end leave nothing', async () => {
    expect(await stream(true, true, sum('CRC32C', Buffer.from('other')))).toMatchObject({
      status: 400,
      code: 'BadDigest',
    });
    const flip = (bytes: Buffer) => {
      bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
      return bytes;
    };
    expect(await stream(true, false, '', flip)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    const cut = (bytes: Buffer) => bytes.subarray(0, -120);
    expect(await stream(false, true, sum('CRC32C', body), cut)).toMatchObject({ status: 400, code: 'IncompleteBody' });
    expect((await s3.ask('GET', '/bucket/streamed')).code).toBe('NoSuchKey');
  });
});

describe('presigned', () => {
  it('GET and PUT, and the checksum of nothing that SDKs put into the query', async () => {
    const query = 'x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-amz-meta-a=1';
    expect((await plain('PUT', presigned('PUT', '/bucket/pre', query), {}, Buffer.from('signed'))).status).toBe(200);
    const get = await plain('GET', presigned('GET', '/bucket/pre', 'response-content-type=text%2Fcsv'), {});
    expect(get).toMatchObject({ status: 200, text: 'signed' });
    expect((await plain('GET', presigned('GET', '/bucket/pre').replace('/pre', '/key'), {})).status).toBe(403);
    expect((await plain('PUT', presigned('GET', '/bucket/pre'), {}, Buffer.from('x'))).status).toBe(403);
  });
});

function presigned(method: string, rawPath: string, rawQuery = ''): string {
  const headers = { host: `127.0.0.1:${s3.port}` };
  const signer = { accessKeyId: owner.accessKeyId, secret: owner.secret, region, now: Date.now() };
  return `${rawPath}?${presign({ method, rawPath, rawQuery, headers }, 60, signer)}`;
}

function plain(
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Buffer | undefined = undefined,
): Promise<{ status: number; text: string; code: string | undefined }> {
  return new Promise((resolve, reject) => {
    const req = request({ port: s3.port, host: '127.0.0.1', method, path, headers }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (piece: string) => {
        text += piece;
      });
      res.on('end', () => {
        const code = /<Error><Code>(\w+)<\/Code>/.exec(text)?.[1];
        resolve({ status: res.statusCode ?? 0, text, code });
      });
    });
    req.on('error', reject);
    if (headers['transfer-encoding'] === undefined && headers['content-length'] === undefined && body !== undefined) {
      req.setHeader('content-length', body.length);
    }
    req.end(body);
  });
}
