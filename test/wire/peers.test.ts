import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presign } from '../../src/sigv4/index.ts';
import { type Ask, owner, region, signedHeaders, startService, stranger, type WireService } from './service.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * What other servers were seen to do wrong, each held here to what AWS does: s3rver, fauxqs, moto, rclone's server and
 * Ceph RGW 16, 18 and 20.
 */
let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
  expect((await s3.ask('PUT', '/bucket')).status).toBe(200);
});
afterAll(() => s3[Symbol.asyncDispose]());

const put = (key: string, body: string | Buffer = 'x', headers: Ask['headers'] = {}) =>
  s3.ask('PUT', `/bucket/${key}`, { body, headers });
const get = (key: string, headers: Ask['headers'] = {}) => s3.ask('GET', `/bucket/${key}`, { headers });
const copy = (from: string, to: string, headers: Ask['headers'] = {}) =>
  s3.ask('PUT', `/bucket/${to}`, { headers: { 'x-amz-copy-source': `/bucket/${from}`, ...headers } });
const listed = async () =>
  [...(await s3.ask('GET', '/bucket?list-type=2')).text.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key);

describe('an upload under way', () => {
  /** Sends the head and half of the body; the answer ends it as the client goes away. */
  async function halfOf(key: string): Promise<() => void> {
    const headers = signedHeaders(s3.port, 'PUT', `/bucket/${key}`, { payload: { kind: 'unsigned' } });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = await s3.connect();
    socket.on('error', () => undefined);
    socket.write(`PUT /bucket/${key} HTTP/1.1\r\n${lines.join('')}content-length: ${8 * MiB}\r\n\r\n`);
    socket.write(Buffer.alloc(4 * MiB, 'n'));
    const seen = () => s3.store.health();
    for (let waited = 0; waited < 20; waited += 1) await seen();
    return () => socket.destroy();
  }
  const ended = async (count: number) => {
    await expect.poll(() => s3.events.filter(({ code }) => code === 'IncompleteBody').length).toBe(count);
  };

  it('shows the old object whole, and keeps it when the client goes away', async () => {
    await put('overwritten', 'the old one');
    const goAway = await halfOf('overwritten');
    expect((await get('overwritten')).text).toBe('the old one');
    goAway();
    await ended(1);
    expect((await get('overwritten')).text).toBe('the old one');
  });

  it('of a new key shows nothing, and leaves nothing', async () => {
    const goAway = await halfOf('half-new');
    expect((await get('half-new')).status).toBe(404);
    goAway();
    await ended(2);
    expect((await get('half-new')).status).toBe(404);
    expect(await listed()).not.toContain('half-new');
  });
});

describe('keys', () => {
  it.each([255, 256, 1024])('of %i bytes in one segment are keys like any other', async (length) => {
    const key = 'k'.repeat(length);
    expect((await put(key, key)).status).toBe(200);
    expect((await get(key)).text).toBe(key);
    expect((await s3.ask('DELETE', `/bucket/${key}`)).status).toBe(204);
  });

  it('with a NUL are kept or refused, never an error of the server', async () => {
    const answer = await put('a%00b');
    expect([200, 400]).toContain(answer.status);
    if (answer.status === 200) expect((await get('a%00b')).text).toBe('x');
  });

  it('are listed to the end of a truncated listing', async () => {
    await Promise.all(Array.from({ length: 7 }, (_, number) => put(`page/${number}`)));
    const found: string[] = [];
    for (let token = '', turn = 0; turn < 9; turn += 1) {
      const from = token === '' ? '' : `&continuation-token=${encodeURIComponent(token)}`;
      const { status, text } = await s3.ask('GET', `/bucket?list-type=2&prefix=page%2F&max-keys=2${from}`);
      expect(status).toBe(200);
      found.push(...[...text.matchAll(/<Key>([^<]*)</g)].map(([, key = '']) => key));
      token = /<NextContinuationToken>([^<]*)</.exec(text)?.[1] ?? '';
      if (token === '') break;
    }
    expect(found).toEqual(Array.from({ length: 7 }, (_, number) => `page/${number}`));
    expect((await s3.ask('GET', '/bucket?list-type=2&max-keys=5000')).text).toContain('<MaxKeys>1000</MaxKeys>');
  });
});

describe('whoever', () => {
  it('has signed nothing gets nothing', async () => {
    await put('guarded');
    for (const [method, target] of [
      ['GET', '/bucket/guarded'],
      ['PUT', '/bucket/guarded'],
      ['DELETE', '/bucket/guarded'],
      ['GET', '/bucket?list-type=2'],
      ['GET', '/'],
    ] as const) {
      expect((await s3.ask(method, target, { as: 'anonymous', body: method === 'PUT' ? 'y' : '' })).status).toBe(403);
    }
    expect((await get('guarded')).text).toBe('x');
  });

  it('signs with a wrong secret, an unknown key or an hour too late gets nothing', async () => {
    const forged = { ...owner, secret: stranger.secret };
    const unknown = { ...owner, accessKeyId: 'NOBODYNOBODYNOBODY00' };
    const ask = (more: Ask) => s3.ask('PUT', '/bucket/guarded', { body: 'y', ...more });
    expect((await ask({ as: forged })).code).toBe('SignatureDoesNotMatch');
    expect((await ask({ as: unknown })).code).toBe('InvalidAccessKeyId');
    expect((await ask({ now: Date.now() - 3_600_000 })).code).toBe('RequestTimeTooSkewed');
    const host = `127.0.0.1:${s3.port}`;
    const url = (secret: typeof owner.secret, now: number) => {
      const signer = { accessKeyId: owner.accessKeyId, secret, region, now };
      return `/bucket/guarded?${presign({ method: 'GET', rawPath: '/bucket/guarded', rawQuery: '', headers: { host } }, 60, signer)}`;
    };
    const open = (target: string) => s3.ask('GET', target, { as: 'anonymous' });
    expect((await open(url(stranger.secret, Date.now()))).code).toBe('SignatureDoesNotMatch');
    expect((await open(url(owner.secret, Date.now() - 120_000))).code).toBe('AccessDenied');
    expect((await open(url(owner.secret, Date.now()))).text).toBe('x');
    expect((await get('guarded')).text).toBe('x');
  });

  it('presigns a PUT may send a content type that was not signed', async () => {
    const signer = { accessKeyId: owner.accessKeyId, secret: owner.secret, region, now: Date.now() };
    const headers = { host: `127.0.0.1:${s3.port}` };
    const query = presign({ method: 'PUT', rawPath: '/bucket/typed', rawQuery: '', headers }, 60, signer);
    const unsigned = { 'content-type': 'text/plain' };
    expect((await s3.ask('PUT', `/bucket/typed?${query}`, { as: 'anonymous', body: 'x', unsigned })).status).toBe(200);
    expect((await get('typed')).headers['content-type']).toBe('text/plain');
  });
});

describe('digests', () => {
  const md5 = (text: string) => createHash('md5').update(text).digest('base64');

  it('that are wrong are refused, whoever did not ask for them to be checked', async () => {
    expect((await put('digested', 'x', { 'content-md5': md5('y') })).code).toBe('BadDigest');
    expect((await put('digested', 'x', { 'x-amz-checksum-crc32': 'AAAAAA==' })).code).toBe('BadDigest');
    const wrong = { kind: 'sha256', hex: createHash('sha256').update('y').digest('hex') } as const;
    expect((await s3.ask('PUT', '/bucket/digested', { body: 'x', payload: wrong })).code).toBe(
      'XAmzContentSHA256Mismatch',
    );
    expect((await get('digested')).status).toBe(404);
    const list = '<Delete><Object><Key>guarded</Key></Object></Delete>';
    const remove = (digest: Record<string, string>) =>
      s3.ask('POST', '/bucket?delete', { body: list, headers: digest });
    expect((await remove({ 'content-md5': md5('y') })).code).toBe('BadDigest');
    expect((await remove({})).code).toBe('InvalidRequest');
    expect((await get('guarded')).status).toBe(200);
  });

  it('come back, and more than 2 KiB of metadata do not go in', async () => {
    const sum = createHash('sha256').update('x').digest('base64');
    await put('summed', 'x', { 'x-amz-checksum-sha256': sum });
    expect((await get('summed', { 'x-amz-checksum-mode': 'ENABLED' })).headers['x-amz-checksum-sha256']).toBe(sum);
    expect((await put('summed', 'x', { 'x-amz-meta-a': 'm'.repeat(3000) })).code).toBe('MetadataTooLarge');
  });
});

describe('conditions', () => {
  it('on a PUT count, with the entity tag as HEAD gave it', async () => {
    const { etag = '' } = (await put('conditional', '1')).headers;
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect((await put('conditional', '2', { 'if-match': etag })).status).toBe(200);
    expect((await put('conditional', '3', { 'if-match': etag })).code).toBe('PreconditionFailed');
    expect((await put('conditional', '3', { 'if-none-match': '*' })).code).toBe('PreconditionFailed');
    expect((await put('not-there', '3', { 'if-match': etag })).code).toBe('NoSuchKey');
  });

  it('let one of twenty writers in, and tell the others why', async () => {
    const { etag = '' } = (await put('contended', '0')).headers;
    const race = (headers: Ask['headers'], key: string) =>
      Promise.all(Array.from({ length: 20 }, (_, number) => put(key, `of writer ${number}`, headers)));
    const statuses = (await race({ 'if-match': etag }, 'contended')).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412 || status === 409)).toHaveLength(19);
    const first = (await race({ 'if-none-match': '*' }, 'first')).map(({ status }) => status);
    expect(first.filter((status) => status === 200)).toHaveLength(1);
  });

  it('on DELETE, copies and completed uploads count too', async () => {
    await put('target', 'kept');
    const stale = '"00000000000000000000000000000000"';
    expect((await s3.ask('DELETE', '/bucket/target', { headers: { 'if-match': stale } })).status).toBe(412);
    expect((await copy('conditional', 'target', { 'if-none-match': '*' })).status).toBe(412);
    expect((await copy('conditional', 'target', { 'x-amz-copy-source-if-match': stale })).status).toBe(412);
    const { etag = '' } = (await get('conditional')).headers;
    expect((await copy('conditional', 'target', { 'x-amz-copy-source-if-none-match': etag })).status).toBe(412);
    const begun = await s3.ask('POST', '/bucket/target?uploads');
    const uploadId = /<UploadId>([^<]+)</.exec(begun.text)?.[1];
    const part = await s3.ask('PUT', `/bucket/target?partNumber=1&uploadId=${uploadId}`, { body: 'part' });
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
    const complete = (headers: Ask['headers'] = {}) =>
      s3.ask('POST', `/bucket/target?uploadId=${uploadId}`, { body, headers });
    expect((await complete({ 'if-none-match': '*' })).text).toContain('PreconditionFailed');
    expect((await get('target')).text).toBe('kept');
    // And the entity tag of what it becomes is told, again and again.
    for (const answer of [await complete(), await complete()]) {
      expect(answer.text).toMatch(/<ETag>(?:&quot;|")[0-9a-f]{32}-1(?:&quot;|")<\/ETag>/);
    }
    expect((await get('target?partNumber=1')).headers['x-amz-mp-parts-count']).toBe('1');
  });
});

describe('requests of the kind that ended or misled a server', () => {
  it('an upload that is completed with a part that never came is refused', async () => {
    const { text } = await s3.ask('POST', '/bucket/partless?uploads');
    const uploadId = /<UploadId>([^<]+)</.exec(text)?.[1];
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"${'0'.repeat(32)}"</ETag></Part></CompleteMultipartUpload>`;
    expect((await s3.ask('POST', `/bucket/partless?uploadId=${uploadId}`, { body })).code).toBe('InvalidPart');
    expect((await get('partless')).status).toBe(404);
  });

  it('a copy replaces tags when told so', async () => {
    await put('tagged', 'x', { 'x-amz-tagging': 'a=1' });
    await copy('tagged', 'retagged', { 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'b=2' });
    expect((await get('retagged?tagging')).text).toContain('<Key>b</Key><Value>2</Value>');
    expect((await get('retagged?tagging')).text).not.toContain('<Key>a</Key>');
  });

  it('several attributes are answered at once, and none is the object', async () => {
    await put('attributes', 'the body');
    const { text } = await get('attributes?attributes', { 'x-amz-object-attributes': 'ETag,ObjectSize,StorageClass' });
    expect(text).toMatch(/<GetObjectAttributesResponse.*<ETag>.*<StorageClass>STANDARD<.*<ObjectSize>8</s);
    expect(text).not.toContain('the body');
  });

  it('encryption that is not there is refused, not left out', async () => {
    expect((await put('secret', 'x', { 'x-amz-server-side-encryption': 'AES256' })).code).toBe('NotImplemented');
    expect((await get('secret')).status).toBe(404);
  });

  it('limits of lifecycle rules are kept, so that no rule gets broader', async () => {
    const rules =
      '<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan></Filter><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>';
    expect((await s3.ask('PUT', '/bucket?lifecycle', { body: rules })).status).toBe(200);
    const { text } = await s3.ask('GET', '/bucket?lifecycle');
    expect(text).toContain('<ObjectSizeGreaterThan>500</ObjectSizeGreaterThan>');
    expect(text).toContain('<NewerNoncurrentVersions>3</NewerNoncurrentVersions>');
    await s3.ask('DELETE', '/bucket?lifecycle');
  });

  it('a policy whose words nobody knows is refused', async () => {
    const policy = (fields: object) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::bucket/*', ...fields },
        ],
      });
    for (const fields of [
      { Action: 's3:GetObjekt' },
      { Resource: 'arn:aws:s3:::another/*' },
      { Condition: { StringEquals: { 's3:prefux': 'a' } } },
    ]) {
      const answer = await s3.ask('PUT', '/bucket?policy', { body: policy(fields) });
      expect([answer.status, answer.code], JSON.stringify(fields)).toEqual([400, 'MalformedPolicy']);
    }
    expect((await s3.ask('GET', '/bucket?policy')).code).toBe('NoSuchBucketPolicy');
  });

  it('an answer has one body, so that the next one on the connection is in step', async () => {
    const socket = await s3.connect();
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const head = (method: string, target: string, more: Record<string, string> = {}) => {
      const headers = signedHeaders(s3.port, method, target, { headers: more });
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
    };
    const { etag = '' } = (await get('attributes')).headers;
    socket.write(head('GET', '/bucket?publicAccessBlock'));
    socket.write(head('GET', '/bucket/attributes', { 'if-none-match': etag }));
    socket.write(head('HEAD', '/bucket/not-there'));
    socket.write(head('GET', '/bucket/attributes'));
    await expect.poll(() => text.endsWith('the body')).toBe(true);
    socket.destroy();
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['404', '304', '404', '200']);
    expect(text.match(/<Error>/g)).toHaveLength(1);
  });
});
