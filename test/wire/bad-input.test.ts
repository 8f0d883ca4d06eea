import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/checksum/index.ts';
import { type Ask, signedHeaders, startService, type WireService } from './service.ts';

let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
  await s3.ask('PUT', '/bucket');
  await s3.ask('PUT', '/bucket/key', { body: 'kept' });
});
afterAll(() => s3[Symbol.asyncDispose]());

const md5 = (text: string) => createHash('md5').update(text).digest('base64');

describe('refusals in S3 words', () => {
  const cases: readonly (readonly [
    what: string,
    method: string,
    target: string,
    ask: Ask,
    status: number,
    code: string,
  ])[] = [
    ['a bucket name', 'PUT', '/Bad_Name', {}, 400, 'InvalidBucketName'],
    ['a short bucket name', 'GET', '/ab', {}, 400, 'InvalidBucketName'],
    ['an absent bucket', 'PUT', '/absent/key', { body: 'x' }, 404, 'NoSuchBucket'],
    ['a long key', 'PUT', `/bucket/${'k'.repeat(1025)}`, { body: 'x' }, 400, 'KeyTooLongError'],
    ['NUL in a key', 'PUT', '/bucket/a%00b', { body: 'x' }, 400, 'InvalidURI'],
    ['invalid UTF-8', 'PUT', '/bucket/%ff', { body: 'x' }, 400, 'InvalidURI'],
    ['a broken escape', 'GET', '/bucket/%zz', { as: 'anonymous' }, 400, 'InvalidURI'],
    ['max-keys', 'GET', '/bucket?list-type=2&max-keys=-1', {}, 400, 'InvalidArgument'],
    ['max-keys', 'GET', '/bucket?max-keys=many', {}, 400, 'InvalidArgument'],
    ['a token', 'GET', '/bucket?list-type=2&continuation-token=nonsense', {}, 400, 'InvalidArgument'],
    ['a doubled parameter', 'GET', '/bucket?list-type=2&prefix=a&prefix=b', {}, 400, 'InvalidArgument'],
    ['an encoding', 'GET', '/bucket?encoding-type=base64', {}, 400, 'InvalidArgument'],
    ['a range', 'GET', '/bucket/key', { headers: { range: 'bytes=9-' } }, 416, 'InvalidRange'],
    ['a version', 'GET', '/bucket/key?versionId=abc', {}, 400, 'InvalidArgument'],
    ['an empty version', 'GET', '/bucket/key?versionId=', {}, 400, 'InvalidArgument'],
    ['a version that is not', 'GET', `/bucket/key?versionId=${'0'.repeat(32)}`, {}, 404, 'NoSuchVersion'],
    ['a version marker alone', 'GET', '/bucket?versions&version-id-marker=null', {}, 400, 'InvalidArgument'],
    ['a part', 'GET', '/bucket/key?partNumber=2', {}, 400, 'InvalidPart'],
    ['part 0', 'GET', '/bucket/key?partNumber=0', {}, 400, 'InvalidArgument'],
    ['part and range', 'GET', '/bucket/key?partNumber=1', { headers: { range: 'bytes=0-1' } }, 400, 'InvalidRequest'],
    ['a header in an override', 'GET', '/bucket/key?response-content-type=a%0d%0aX:1', {}, 400, 'InvalidArgument'],
    ['part 10,001', 'PUT', '/bucket/key?partNumber=10001&uploadId=u', { body: 'x' }, 400, 'InvalidArgument'],
    ['an upload', 'PUT', '/bucket/key?partNumber=1&uploadId=u', { body: 'x' }, 404, 'NoSuchUpload'],
    ['Content-MD5', 'PUT', '/bucket/key', { body: 'x', headers: { 'content-md5': 'zz' } }, 400, 'InvalidDigest'],
    ['another MD5', 'PUT', '/bucket/key', { body: 'x', headers: { 'content-md5': md5('y') } }, 400, 'BadDigest'],
    [
      'another CRC',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } },
      400,
      'BadDigest',
    ],
    ['a short CRC', 'PUT', '/bucket/key', { body: 'x', headers: { 'x-amz-checksum-crc32': 'AAAA' } }, 400, 'BadDigest'],
    [
      'two checksums',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' } },
      400,
      'InvalidRequest',
    ],
    [
      'a checksum that does not come',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-sdk-checksum-algorithm': 'CRC32' } },
      400,
      'InvalidRequest',
    ],
    [
      'a storage class',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-storage-class': 'FAST' } },
      400,
      'InvalidStorageClass',
    ],
    [
      'an ACL',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-acl': 'public-read' } },
      400,
      'AccessControlListNotSupported',
    ],
    [
      'encryption',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-server-side-encryption': 'AES256' } },
      501,
      'NotImplemented',
    ],
    [
      'a lock',
      'PUT',
      '/bucket/key',
      {
        body: 'x',
        headers: {
          'x-amz-object-lock-mode': 'GOVERNANCE',
          'x-amz-object-lock-retain-until-date': '2099-01-01T00:00:00Z',
        },
      },
      400,
      'InvalidRequest',
    ],
    [
      'metadata',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-meta-a': 'v'.repeat(2048) } },
      400,
      'MetadataTooLarge',
    ],
    ['11 tags', 'PUT', '/bucket/key', { body: 'x', headers: { 'x-amz-tagging': tags(11) } }, 400, 'InvalidTag'],
    ['a doubled tag', 'PUT', '/bucket/key', { body: 'x', headers: { 'x-amz-tagging': 'a=1&a=2' } }, 400, 'InvalidTag'],
    [
      'a long tag',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-tagging': `${'a'.repeat(129)}=1` } },
      400,
      'InvalidTag',
    ],
    [
      'a broken tag',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-tagging': 'a=%zz' } },
      400,
      'InvalidArgument',
    ],
    [
      'a present object',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'if-none-match': '*' } },
      412,
      'PreconditionFailed',
    ],
    ['another object', 'PUT', '/bucket/key', { body: 'x', headers: { 'if-match': '"a"' } }, 412, 'PreconditionFailed'],
    ['another object', 'DELETE', '/bucket/key', { headers: { 'if-match': '"a"' } }, 412, 'PreconditionFailed'],
    [
      'a copy onto itself',
      'PUT',
      '/bucket/key',
      { headers: { 'x-amz-copy-source': 'bucket/key' } },
      400,
      'InvalidRequest',
    ],
    ['a copy source', 'PUT', '/bucket/key', { headers: { 'x-amz-copy-source': 'bucket' } }, 400, 'InvalidArgument'],
    [
      'a copy of nothing',
      'PUT',
      '/bucket/key',
      { headers: { 'x-amz-copy-source': 'bucket/nothing' } },
      404,
      'NoSuchKey',
    ],
    [
      'a trailer without chunks',
      'PUT',
      '/bucket/key',
      { body: 'x', headers: { 'x-amz-trailer': 'x-amz-checksum-crc32' } },
      400,
      'InvalidArgument',
    ],
    ['a deletion without a digest', 'POST', '/bucket?delete', { body: deletion(1) }, 400, 'InvalidRequest'],
    ['1,001 deletions', 'POST', '/bucket?delete', checked(deletion(1001)), 400, 'MalformedXML'],
    ['no deletion', 'POST', '/bucket?delete', checked('<Delete/>'), 400, 'MalformedXML'],
    ['XML', 'POST', '/bucket?delete', checked('<Delete><Object>'), 400, 'MalformedXML'],
    [
      'entities',
      'POST',
      '/bucket?delete',
      checked('<!DOCTYPE a [<!ENTITY k "key">]><Delete><Object><Key>&k;</Key></Object></Delete>'),
      400,
      'MalformedXML',
    ],
    [
      'a large document',
      'POST',
      '/bucket?delete',
      checked(`<Delete>${' '.repeat(5_000_000)}</Delete>`),
      400,
      'MaxMessageLengthExceeded',
    ],
    ['tagging XML', 'PUT', '/bucket/key?tagging', { body: '<Tags/>' }, 400, 'MalformedXML'],
    ['an empty tagging', 'PUT', '/bucket/key?tagging', { body: '' }, 400, 'MalformedXML'],
    [
      'a foreign region',
      'PUT',
      '/new-one',
      {
        body: '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>',
      },
      400,
      'InvalidLocationConstraint',
    ],
    ['a bucket that is not empty', 'DELETE', '/bucket', {}, 409, 'BucketNotEmpty'],
    ['a method', 'PATCH', '/bucket/key', {}, 405, 'MethodNotAllowed'],
    ['a form upload', 'POST', '/bucket', { body: 'x' }, 412, 'PreconditionFailed'],
    [
      'a preflight',
      'OPTIONS',
      '/bucket/key',
      { as: 'anonymous', headers: { origin: 'https://a', 'access-control-request-method': 'GET' } },
      403,
      'AccessForbidden',
    ],
  ];
  it.each(cases)('%s (%s %.60s)', async (_, method, target, ask, status, code) => {
    expect(await s3.ask(method, target, ask)).toMatchObject({ status, code });
  });

  it('and nothing of it changed anything', async () => {
    const list = await s3.ask('GET', '/bucket?list-type=2');
    expect(list.text.match(/<Key>[^<]*<\/Key>/g)).toEqual(['<Key>key</Key>']);
    expect((await s3.ask('GET', '/bucket/key')).text).toBe('kept');
  });

  it('bad dates in conditions are ignored, bad ranges too', async () => {
    for (const headers of [
      { 'if-modified-since': 'yesterday' },
      { 'if-unmodified-since': 'tomorrow' },
      { range: 'bytes=b-a' },
      { range: 'bytes=0-1,3-4' },
    ]) {
      expect(await s3.ask('GET', '/bucket/key', { headers })).toMatchObject({ status: 200, text: 'kept' });
    }
  });

  it('HEAD errors have no body', async () => {
    expect(await s3.ask('HEAD', '/bucket/nothing')).toMatchObject({ status: 404, text: '' });
    expect(await s3.ask('HEAD', '/absent')).toMatchObject({ status: 404, text: '' });
  });
});

describe('connections', () => {
  const head = (method: string, target: string, headers: Record<string, string>) =>
    `${method} ${target} HTTP/1.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`;
  const get = () => head('GET', '/bucket/key', signedHeaders(s3.port, 'GET', '/bucket/key'));

  it('stay in step after a refusal with a small body left', async () => {
    const socket = await s3.connect();
    const headers = { ...signedHeaders(s3.port, 'PUT', '/bucket/key', { as: 'anonymous' }), 'content-length': '4' };
    socket.write(`${head('PUT', '/bucket/key', headers)}GET ${get()}`);
    const text = await readUntil(socket, 'kept');
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403', 'HTTP/1.1 200']);
    socket.destroy();
  });

  it('stay in step after a refusal with a body left that would have been streamed', async () => {
    const socket = await s3.connect();
    const payload = { kind: 'unsigned' } as const;
    const sign = (target: string, headers: Record<string, string>) => ({
      ...signedHeaders(s3.port, 'PUT', target, { headers, payload }),
      'content-length': '700000',
    });
    // Refused once by its header, and once by all of its body.
    socket.write(head('PUT', '/bucket/key', sign('/bucket/key', { 'if-none-match': '*' })));
    socket.write(Buffer.alloc(700_000));
    socket.write(head('PUT', '/bucket/new', sign('/bucket/new', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })));
    socket.write(Buffer.alloc(700_000));
    socket.write(get());
    const text = await readUntil(socket, 'kept');
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 412', 'HTTP/1.1 400', 'HTTP/1.1 200']);
    socket.destroy();
  });

  it('close after a refusal with a large body left, once the answer was read', async () => {
    const socket = await s3.connect();
    const headers = {
      ...signedHeaders(s3.port, 'PUT', '/bucket/key', { as: 'anonymous' }),
      'content-length': '50000000',
    };
    socket.write(head('PUT', '/bucket/key', headers));
    socket.write(Buffer.alloc(3_000_000));
    const text = await readUntil(socket, '</Error>');
    expect(text).toContain('HTTP/1.1 403');
    expect(text.toLowerCase()).toContain('connection: close');
    await ended(socket);
  });

  it('a client that expects 100-continue is not asked for a body that would be refused', async () => {
    const socket = await s3.connect();
    const headers = {
      ...signedHeaders(s3.port, 'PUT', '/bucket/key', { as: 'anonymous' }),
      'content-length': '5',
      expect: '100-continue',
    };
    socket.write(head('PUT', '/bucket/key', headers));
    const text = await readUntil(socket, '</Error>');
    expect(text).not.toContain('100 Continue');
    await ended(socket);
  });

  it('a client that expects 100-continue gets it once its headers were accepted', async () => {
    const socket = await s3.connect();
    const headers = {
      ...signedHeaders(s3.port, 'PUT', '/bucket/continued', { body: 'hello' }),
      'content-length': '5',
      expect: '100-continue',
    };
    socket.write(head('PUT', '/bucket/continued', headers));
    await readUntil(socket, '100 Continue\r\n\r\n');
    socket.write('hello');
    expect(await readUntil(socket, '\r\n\r\n')).toContain('HTTP/1.1 200');
    socket.destroy();
    expect((await s3.ask('DELETE', '/bucket/continued')).status).toBe(204);
  });

  it.each([5, 200_000])('a client that goes away in the middle of %i bytes leaves nothing', async (length) => {
    const socket = await s3.connect();
    const ask: Ask = { payload: { kind: 'unsigned' } };
    const headers = { ...signedHeaders(s3.port, 'PUT', '/bucket/gone', ask), 'content-length': length.toString() };
    const before = s3.events.length;
    socket.write(head('PUT', '/bucket/gone', headers));
    socket.write(Buffer.alloc(length - 2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    for (let i = 0; i < 100 && s3.events.length === before; i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(s3.events.at(-1)).toMatchObject({ operation: 'PutObject', code: 'IncompleteBody' });
    expect((await s3.ask('GET', '/bucket/gone')).code).toBe('NoSuchKey');
  });

  it('no Content-Length', async () => {
    const socket = await s3.connect();
    socket.write(
      head('PUT', '/bucket/gone', signedHeaders(s3.port, 'PUT', '/bucket/gone', { payload: { kind: 'unsigned' } })),
    );
    const text = await readUntil(socket, '</Error>');
    expect(text).toContain('HTTP/1.1 411');
    expect(text).toContain('MissingContentLength');
    socket.destroy();
  });

  it('more than 5 GiB is refused by its header', async () => {
    const socket = await s3.connect();
    const headers = {
      ...signedHeaders(s3.port, 'PUT', '/bucket/gone', { payload: { kind: 'unsigned' } }),
      'content-length': `${5 * 1024 ** 3 + 1}`,
    };
    socket.write(head('PUT', '/bucket/gone', headers));
    expect(await readUntil(socket, '</Error>')).toContain('EntityTooLarge');
    socket.destroy();
  });
});

function tags(count: number): string {
  return Array.from({ length: count }, (_, at) => `t${at}=v`).join('&');
}

function deletion(count: number): string {
  const objects = Array.from({ length: count }, (_, at) => `<Object><Key>none-${at}</Key></Object>`).join('');
  return `<Delete>${objects}</Delete>`;
}

function checked(body: string): Ask {
  return { body, headers: { 'x-amz-checksum-crc32': digestOf('CRC32', Buffer.from(body)).toString('base64') } };
}

function readUntil(socket: Socket, end: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`no ${JSON.stringify(end)} in ${text}`)), 5000);
    const done = () => {
      clearTimeout(timer);
      socket.off('data', onData);
      resolve(text);
    };
    const onData = (bytes: Buffer) => {
      text += bytes.toString('latin1');
      if (text.includes(end)) done();
    };
    socket.on('data', onData);
    socket.once('error', reject);
  });
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('still open')), 5000);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
    socket.on('end', () => socket.destroy());
  });
}
