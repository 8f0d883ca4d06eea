import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compositeChecksum, digestOf } from '../../src/checksum/index.ts';
import { startService, type WireService } from './service.ts';

const MIB = 1024 * 1024;
const first = Buffer.alloc(5 * MIB, 'a');
const second = Buffer.from('the end');

let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
  await s3.ask('PUT', '/bucket');
});
afterAll(() => s3[Symbol.asyncDispose]());

async function create(key: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await s3.ask('POST', `/bucket/${key}?uploads`, { headers });
  expect(answer.status).toBe(200);
  return /<UploadId>([^<]+)<\/UploadId>/.exec(answer.text)?.[1] ?? '';
}

function partsXml(parts: readonly (readonly [number: number, etag: string])[]): string {
  const list = parts.map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  return `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list.join('')}</CompleteMultipartUpload>`;
}

describe('a multipart upload', () => {
  it('becomes one object, once, and answers its parts', async () => {
    const id = await create('whole', { 'x-amz-meta-a': 'b', 'content-type': 'text/plain' });
    const etags: string[] = [];
    for (const [at, body] of [first, second].entries()) {
      const part = await s3.ask('PUT', `/bucket/whole?partNumber=${at + 1}&uploadId=${id}`, { body });
      expect(part.status).toBe(200);
      etags.push(String(part.headers.etag));
    }
    const parts = await s3.ask('GET', `/bucket/whole?uploadId=${id}&max-parts=1`);
    expect(parts.text).toContain('<IsTruncated>true</IsTruncated>');
    expect(parts.text).toContain('<NextPartNumberMarker>1</NextPartNumberMarker>');
    const uploads = await s3.ask('GET', '/bucket?uploads');
    expect(uploads.text).toContain(`<UploadId>${id}</UploadId>`);
    expect((await s3.ask('GET', '/bucket/whole')).code).toBe('NoSuchKey');

    const body = partsXml([
      [1, etags[0] ?? ''],
      [2, etags[1] ?? ''],
    ]);
    const md5s = etags.map((etag) => Buffer.from(etag.slice(1, -1), 'hex'));
    const etag = `${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-2`;
    const done = await s3.ask('POST', `/bucket/whole?uploadId=${id}`, { body });
    expect(done.status).toBe(200);
    expect(done.text).toContain(`<ETag>&quot;${etag}&quot;</ETag>`);
    const again = await s3.ask('POST', `/bucket/whole?uploadId=${id}`, { body });
    expect(again.status).toBe(200);

    const get = await s3.ask('GET', '/bucket/whole');
    expect(get.headers).toMatchObject({ etag: `"${etag}"`, 'x-amz-meta-a': 'b', 'content-type': 'text/plain' });
    expect(get.body.equals(Buffer.concat([first, second]))).toBe(true);
    const part = await s3.ask('GET', '/bucket/whole?partNumber=2');
    expect(part).toMatchObject({ status: 206, text: 'the end', headers: { 'x-amz-mp-parts-count': '2' } });
    expect(part.headers['content-range']).toBe(`bytes ${first.length}-${first.length + 6}/${first.length + 7}`);
    const ranged = await s3.ask('GET', '/bucket/whole', {
      headers: { range: `bytes=${first.length - 2}-${first.length + 2}` },
    });
    expect(ranged).toMatchObject({ status: 206, text: 'aathe' });
    expect((await s3.ask('GET', '/bucket/whole?partNumber=3')).code).toBe('InvalidPart');
  });

  it('refuses what S3 refuses at completion', async () => {
    const id = await create('refused');
    const target = `/bucket/refused?uploadId=${id}`;
    const put = (number: number, body: Buffer) =>
      s3.ask('PUT', `/bucket/refused?partNumber=${number}&uploadId=${id}`, { body });
    const small = String((await put(1, second)).headers.etag);
    const last = String((await put(2, second)).headers.etag);
    const complete = async (body: string) => (await s3.ask('POST', target, { body })).code;
    expect(
      await complete(
        partsXml([
          [2, last],
          [1, small],
        ]),
      ),
    ).toBe('InvalidPartOrder');
    expect(
      await complete(
        partsXml([
          [1, '"sent again since"'],
          [1, small],
          [2, last],
        ]),
      ),
    ).toBe('EntityTooSmall');
    expect(
      await complete(
        partsXml([
          [1, small],
          [2, last],
        ]),
      ),
    ).toBe('EntityTooSmall');
    expect(await complete(partsXml([[1, '"00000000000000000000000000000000"']]))).toBe('InvalidPart');
    expect(await complete(partsXml([[7, small]]))).toBe('InvalidPart');
    expect(await complete(partsXml([]))).toBe('MalformedXML');
    expect(await complete('<CompleteMultipartUpload><Part/></CompleteMultipartUpload>')).toBe('MalformedXML');
    expect(await complete('')).toBe('MalformedXML');
    const many = Array.from({ length: 10_001 }, (_, at) => [at + 1, small] as const);
    expect(await complete(partsXml(many))).toBe('MalformedXML');
    expect((await s3.ask('DELETE', target)).status).toBe(204);
    expect(await complete(partsXml([[1, small]]))).toBe('NoSuchUpload');
    expect((await s3.ask('GET', '/bucket/refused')).code).toBe('NoSuchKey');
  });

  it('honours If-None-Match at completion', async () => {
    await s3.ask('PUT', '/bucket/there', { body: 'first' });
    const id = await create('there');
    const part = await s3.ask('PUT', `/bucket/there?partNumber=1&uploadId=${id}`, { body: second });
    const body = partsXml([[1, String(part.headers.etag)]]);
    const answer = await s3.ask('POST', `/bucket/there?uploadId=${id}`, { body, headers: { 'if-none-match': '*' } });
    expect(answer).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect((await s3.ask('GET', '/bucket/there')).text).toBe('first');
  });

  it('has composite checksums, and refuses another algorithm than the one announced', async () => {
    const id = await create('summed', { 'x-amz-checksum-algorithm': 'SHA256' });
    const digest = digestOf('SHA256', second);
    const part = await s3.ask('PUT', `/bucket/summed?partNumber=1&uploadId=${id}`, {
      body: second,
      headers: { 'x-amz-checksum-sha256': digest.toString('base64') },
    });
    expect(part.headers['x-amz-checksum-sha256']).toBe(digest.toString('base64'));
    const wrong = await s3.ask('PUT', `/bucket/summed?partNumber=1&uploadId=${id}`, {
      body: second,
      headers: { 'x-amz-checksum-crc32': digestOf('CRC32', second).toString('base64') },
    });
    expect(wrong.code).toBe('InvalidRequest');
    const etag = String(part.headers.etag);
    const done = await s3.ask('POST', `/bucket/summed?uploadId=${id}`, {
      body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag><ChecksumSHA256>${digest.toString('base64')}</ChecksumSHA256></Part></CompleteMultipartUpload>`,
    });
    const { value } = compositeChecksum('SHA256', [digest]);
    expect(done.text).toContain(`<ChecksumSHA256>${value}</ChecksumSHA256><ChecksumType>COMPOSITE</ChecksumType>`);
    const head = await s3.ask('HEAD', '/bucket/summed', { headers: { 'x-amz-checksum-mode': 'ENABLED' } });
    expect(head.headers).toMatchObject({ 'x-amz-checksum-sha256': value, 'x-amz-checksum-type': 'COMPOSITE' });
    const attributes = await s3.ask('GET', '/bucket/summed?attributes', {
      headers: { 'x-amz-object-attributes': 'ETag,Checksum,ObjectParts,ObjectSize,StorageClass' },
    });
    expect(attributes.text).toContain('<PartsCount>1</PartsCount>');
    expect(attributes.text).toContain('<ObjectSize>7</ObjectSize>');
  });

  it('has a full-object CRC64NVME, stated and checked', async () => {
    const id = await create('crc64', { 'x-amz-checksum-algorithm': 'CRC64NVME' });
    const one = await s3.ask('PUT', `/bucket/crc64?partNumber=1&uploadId=${id}`, { body: first });
    const two = await s3.ask('PUT', `/bucket/crc64?partNumber=2&uploadId=${id}`, { body: second });
    const body = partsXml([
      [1, String(one.headers.etag)],
      [2, String(two.headers.etag)],
    ]);
    const complete = (value: string) =>
      s3.ask('POST', `/bucket/crc64?uploadId=${id}`, {
        body,
        headers: { 'x-amz-checksum-crc64nvme': value, 'x-amz-checksum-type': 'FULL_OBJECT' },
      });
    expect((await complete('AAAAAAAAAAA=')).code).toBe('BadDigest');
    const value = digestOf('CRC64NVME', Buffer.concat([first, second])).toString('base64');
    expect((await complete(value)).text).toContain(`<ChecksumCRC64NVME>${value}</ChecksumCRC64NVME>`);
  });

  it('is listed page by page, among others of its key, and so are its parts', async () => {
    await s3.ask('PUT', '/paged');
    const begin = async (key: string) => {
      const { text } = await s3.ask('POST', `/paged/${encodeURIComponent(key)}?uploads`);
      return `${key} ${/<UploadId>([^<]+)</.exec(text)?.[1]}`;
    };
    const begun: string[] = [];
    for (const key of ['z', 'd/1', 'ä b', 'ä b', 'd/2', 'ä b']) begun.push(await begin(key));
    const tag = (text: string, name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';
    const uploads = async (query: string) => {
      const found: string[] = [];
      for (let markers = '', page = 0; page < 10; page += 1) {
        const { status, text } = await s3.ask('GET', `/paged?uploads&encoding-type=url&${query}${markers}`);
        expect(status).toBe(200);
        for (const [, key, id, prefix] of text.matchAll(
          /<Upload><Key>([^<]*)<\/Key><UploadId>([^<]*)<|<CommonPrefixes><Prefix>([^<]*)</g,
        )) {
          found.push(prefix ?? `${decodeURIComponent(key ?? '')} ${id}`);
        }
        if (tag(text, 'IsTruncated') === 'false') break;
        markers = `&key-marker=${tag(text, 'NextKeyMarker')}&upload-id-marker=${tag(text, 'NextUploadIdMarker')}`;
      }
      return found;
    };
    const all = await uploads('max-uploads=1000');
    expect(all.toSorted()).toEqual(begun.toSorted());
    expect(all.map((name) => name.replace(/ [0-9a-f]+$/, ''))).toEqual(['d/1', 'd/2', 'z', 'ä b', 'ä b', 'ä b']);
    for (const size of [1, 2, 4]) expect(await uploads(`max-uploads=${size}`)).toEqual(all);
    expect(await uploads('max-uploads=1&delimiter=%2F')).toEqual(['d/', ...all.slice(2)]);
    expect(await uploads('max-uploads=2&prefix=d')).toEqual(all.slice(0, 2));

    const target = `/paged/z?uploadId=${all[2]?.split(' ')[1]}`;
    for (const number of [10_000, 1, 7]) {
      expect((await s3.ask('PUT', `${target}&partNumber=${number}`, { body: 'x' })).status).toBe(200);
    }
    const numbers: string[] = [];
    for (let marker = '0', page = 0; page < 10; page += 1) {
      const { text } = await s3.ask('GET', `${target}&max-parts=2&part-number-marker=${marker}`);
      numbers.push(...Array.from(text.matchAll(/<PartNumber>(\d+)</g), ([, number = '']) => number));
      if (tag(text, 'IsTruncated') === 'false') break;
      marker = tag(text, 'NextPartNumberMarker');
    }
    expect(numbers).toEqual(['1', '7', '10000']);
  });

  it('copies parts of other objects', async () => {
    await s3.ask('PUT', '/bucket/source', { body: first });
    const id = await create('copied');
    const copy = (number: number, range: string) =>
      s3.ask('PUT', `/bucket/copied?partNumber=${number}&uploadId=${id}`, {
        headers: { 'x-amz-copy-source': '/bucket/source', 'x-amz-copy-source-range': range },
      });
    const one = await copy(1, `bytes=0-${first.length - 1}`);
    const two = await copy(2, 'bytes=0-2');
    const etags = [one, two].map(({ text }) => `"${/<ETag>&quot;(\w+)&quot;/.exec(text)?.[1]}"`);
    expect((await copy(3, `bytes=0-${first.length}`)).code).toBe('InvalidRange');
    expect((await copy(3, 'bytes=2-1')).code).toBe('InvalidArgument');
    const body = partsXml([
      [1, etags[0] ?? ''],
      [2, etags[1] ?? ''],
    ]);
    expect((await s3.ask('POST', `/bucket/copied?uploadId=${id}`, { body })).status).toBe(200);
    const get = await s3.ask('GET', '/bucket/copied', { headers: { range: 'bytes=-4' } });
    expect(get.text).toBe('aaaa');
  });
});
