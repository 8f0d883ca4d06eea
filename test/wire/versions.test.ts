import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type WireService } from './service.ts';

let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
});
afterAll(() => s3[Symbol.asyncDispose]());

const ID = /^[0-9a-f]{32}$/;
let buckets = 0;

async function bucketWith(status?: 'Enabled' | 'Suspended'): Promise<string> {
  buckets += 1;
  const bucket = `/versions-${buckets}`;
  expect((await s3.ask('PUT', bucket)).status).toBe(200);
  if (status !== undefined) await configure(bucket, status);
  return bucket;
}

async function configure(bucket: string, status: string): Promise<void> {
  const body = `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`;
  expect((await s3.ask('PUT', `${bucket}?versioning`, { body })).status).toBe(200);
}

async function put(target: string, body: string): Promise<string> {
  const answer = await s3.ask('PUT', target, { body });
  expect(answer.status).toBe(200);
  return String(answer.headers['x-amz-version-id']);
}

describe('versioning', () => {
  it('is told as it was set, and nothing before that', async () => {
    const bucket = await bucketWith();
    const read = async () => (await s3.ask('GET', `${bucket}?versioning`)).text.replace(/^.*<Ver|xmlns="[^"]*"/gs, '');
    expect(await read()).toBe('sioningConfiguration ></VersioningConfiguration>');
    await configure(bucket, 'Enabled');
    expect(await read()).toBe('sioningConfiguration ><Status>Enabled</Status></VersioningConfiguration>');
    await configure(bucket, 'Suspended');
    expect(await read()).toContain('<Status>Suspended</Status>');
  });

  it.each([
    ['<VersioningConfiguration/>', 400, 'IllegalVersioningConfigurationException'],
    ['<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>', 400, 'MalformedXML'],
    ['<VersioningConfiguration><Status>Enabled</Status><Other/></VersioningConfiguration>', 400, 'MalformedXML'],
    [
      '<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>',
      501,
      'NotImplemented',
    ],
    ['', 400, 'MalformedXML'],
  ])('refuses %s', async (body, status, code) => {
    const bucket = await bucketWith();
    expect(await s3.ask('PUT', `${bucket}?versioning`, { body })).toMatchObject({ status, code });
    expect((await s3.ask('GET', `${bucket}?versioning`)).text).not.toContain('Status');
  });
});

describe('a version', () => {
  it('is named by writes, save the null version, and by reads', async () => {
    const bucket = await bucketWith();
    const plain = await s3.ask('PUT', `${bucket}/k`, { body: 'plain' });
    expect(plain.headers['x-amz-version-id']).toBeUndefined();
    expect((await s3.ask('GET', `${bucket}/k`)).headers['x-amz-version-id']).toBeUndefined();
    await configure(bucket, 'Enabled');
    const made = await put(`${bucket}/k`, 'named');
    expect(made).toMatch(ID);
    expect((await s3.ask('GET', `${bucket}/k`)).headers['x-amz-version-id']).toBe(made);
    const old = await s3.ask('GET', `${bucket}/k?versionId=null`);
    expect(old).toMatchObject({ status: 200, text: 'plain', headers: { 'x-amz-version-id': 'null' } });
    expect((await s3.ask('HEAD', `${bucket}/k?versionId=null`)).headers['content-length']).toBe('5');
    await configure(bucket, 'Suspended');
    const suspended = await s3.ask('PUT', `${bucket}/k`, { body: 'null again' });
    expect(suspended.headers['x-amz-version-id']).toBeUndefined();
    expect((await s3.ask('HEAD', `${bucket}/k`)).headers['x-amz-version-id']).toBe('null');
  });

  it('is what tags, attributes, ACL and conditions are asked of', async () => {
    const bucket = await bucketWith('Enabled');
    const first = await put(`${bucket}/k`, 'first');
    const second = await put(`${bucket}/k`, 'second, and longer');
    const body = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
    expect(await s3.ask('PUT', `${bucket}/k?tagging&versionId=${first}`, { body })).toMatchObject({
      status: 200,
      headers: { 'x-amz-version-id': first },
    });
    expect((await s3.ask('GET', `${bucket}/k?tagging`)).text).toContain('<TagSet></TagSet>');
    expect(await s3.ask('GET', `${bucket}/k?tagging&versionId=${first}`)).toMatchObject({
      text: expect.stringContaining('<Key>a</Key>'),
      headers: { 'x-amz-version-id': first },
    });
    expect((await s3.ask('HEAD', `${bucket}/k?versionId=${first}`)).headers['x-amz-tagging-count']).toBe('1');
    expect((await s3.ask('DELETE', `${bucket}/k?tagging&versionId=${first}`)).status).toBe(204);
    expect((await s3.ask('GET', `${bucket}/k?tagging&versionId=${first}`)).text).toContain('<TagSet></TagSet>');
    const headers = { 'x-amz-object-attributes': 'ObjectSize' };
    const attributes = await s3.ask('GET', `${bucket}/k?attributes&versionId=${first}`, { headers });
    expect(attributes.text).toContain('<ObjectSize>5</ObjectSize>');
    expect(attributes.headers['x-amz-version-id']).toBe(first);
    expect((await s3.ask('GET', `${bucket}/k?attributes`, { headers })).headers['x-amz-version-id']).toBe(second);
    expect((await s3.ask('GET', `${bucket}/k?acl&versionId=${first}`)).status).toBe(200);
    const range = await s3.ask('GET', `${bucket}/k?versionId=${first}`, { headers: { range: 'bytes=1-2' } });
    expect(range).toMatchObject({ status: 206, text: 'ir' });
  });

  it('may be the source of copies and of parts', async () => {
    const bucket = await bucketWith('Enabled');
    const first = await put(`${bucket}/k`, 'first');
    await put(`${bucket}/k`, 'second');
    const source = { 'x-amz-copy-source': `${bucket}/k?versionId=${first}` };
    const copied = await s3.ask('PUT', `${bucket}/copy`, { headers: source });
    expect(copied.headers).toMatchObject({
      'x-amz-copy-source-version-id': first,
      'x-amz-version-id': expect.stringMatching(ID),
    });
    expect((await s3.ask('GET', `${bucket}/copy`)).text).toBe('first');
    // Onto itself: how an older version is brought back.
    expect((await s3.ask('PUT', `${bucket}/k`, { headers: source })).status).toBe(200);
    expect((await s3.ask('GET', `${bucket}/k`)).text).toBe('first');
    const begun = await s3.ask('POST', `${bucket}/multi?uploads`);
    const uploadId = /<UploadId>([^<]+)</.exec(begun.text)?.[1] ?? '';
    const part = await s3.ask('PUT', `${bucket}/multi?partNumber=1&uploadId=${uploadId}`, { headers: source });
    expect(part.headers['x-amz-copy-source-version-id']).toBe(first);
    const etag = /<ETag>([^<]+)</.exec(part.text)?.[1] ?? '';
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    const completed = await s3.ask('POST', `${bucket}/multi?uploadId=${uploadId}`, { body });
    expect(completed.headers['x-amz-version-id']).toMatch(ID);
    expect((await s3.ask('GET', `${bucket}/multi`)).text).toBe('first');
    const marker = String((await s3.ask('DELETE', `${bucket}/k`)).headers['x-amz-version-id']);
    const gone = { 'x-amz-copy-source': `${bucket}/k` };
    expect(await s3.ask('PUT', `${bucket}/x`, { headers: gone })).toMatchObject({ status: 404, code: 'NoSuchKey' });
    const named = { 'x-amz-copy-source': `${bucket}/k?versionId=${marker}` };
    expect(await s3.ask('PUT', `${bucket}/x`, { headers: named })).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
  });
});

describe('a delete', () => {
  it('leaves a marker, which says so to every read', async () => {
    const bucket = await bucketWith('Enabled');
    const kept = await put(`${bucket}/k`, 'kept');
    const deleted = await s3.ask('DELETE', `${bucket}/k`);
    const marker = String(deleted.headers['x-amz-version-id']);
    expect(deleted).toMatchObject({ status: 204, headers: { 'x-amz-delete-marker': 'true' } });
    expect(marker).toMatch(ID);
    for (const method of ['GET', 'HEAD']) {
      expect(await s3.ask(method, `${bucket}/k`)).toMatchObject({
        status: 404,
        headers: { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker },
      });
      expect(await s3.ask(method, `${bucket}/k?versionId=${marker}`)).toMatchObject({
        status: 405,
        headers: { 'x-amz-delete-marker': 'true', allow: 'DELETE', 'last-modified': expect.any(String) },
      });
    }
    expect((await s3.ask('GET', `${bucket}/k?tagging&versionId=${marker}`)).status).toBe(405);
    expect((await s3.ask('GET', `${bucket}?list-type=2`)).text).toContain('<KeyCount>0</KeyCount>');
    expect(await s3.ask('DELETE', bucket)).toMatchObject({ status: 409, code: 'BucketNotEmpty' });
    expect((await s3.ask('DELETE', `${bucket}/k?versionId=${marker}`)).headers).toMatchObject({
      'x-amz-delete-marker': 'true',
      'x-amz-version-id': marker,
    });
    expect((await s3.ask('GET', `${bucket}/k`)).text).toBe('kept');
    const last = await s3.ask('DELETE', `${bucket}/k?versionId=${kept}`);
    expect(last.headers['x-amz-version-id']).toBe(kept);
    expect(last.headers['x-amz-delete-marker']).toBeUndefined();
    // What is gone is gone: asking again is no error.
    expect((await s3.ask('DELETE', `${bucket}/k?versionId=${kept}`)).status).toBe(204);
    expect((await s3.ask('DELETE', bucket)).status).toBe(204);
  });

  it('of many tells of each what happened', async () => {
    const bucket = await bucketWith('Enabled');
    const first = await put(`${bucket}/a`, '1');
    await put(`${bucket}/b`, '2');
    const body =
      `<Delete><Object><Key>a</Key><VersionId>${first}</VersionId></Object><Object><Key>b</Key></Object>` +
      '<Object><Key>c</Key><VersionId>nonsense</VersionId></Object></Delete>';
    const { createHash } = await import('node:crypto');
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
    const { text } = await s3.ask('POST', `${bucket}?delete`, { body, headers });
    expect(text).toContain(`<Deleted><Key>a</Key><VersionId>${first}</VersionId></Deleted>`);
    const made = /<Key>b<\/Key><DeleteMarker>true<\/DeleteMarker><DeleteMarkerVersionId>([0-9a-f]{32})</.exec(
      text,
    )?.[1];
    expect(text).toContain('<Error><Key>c</Key><VersionId>nonsense</VersionId><Code>InvalidArgument</Code>');
    const again = `<Delete><Object><Key>b</Key><VersionId>${made}</VersionId></Object></Delete>`;
    const signed = { 'content-md5': createHash('md5').update(again).digest('base64') };
    expect((await s3.ask('POST', `${bucket}?delete`, { body: again, headers: signed })).text).toContain(
      `<VersionId>${made}</VersionId><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>${made}</DeleteMarkerVersionId>`,
    );
    expect((await s3.ask('GET', `${bucket}/b`)).text).toBe('2');
  });
});

describe('ListObjectVersions', () => {
  it('lists page by page, versions and markers in one order, prefixes after them', async () => {
    const bucket = await bucketWith('Enabled');
    for (const key of ['a', 'a', 'd/1', 'd/2', 'z z']) await put(`${bucket}/${encodeURIComponent(key)}`, key);
    await s3.ask('DELETE', `${bucket}/a`);
    const whole = (await s3.ask('GET', `${bucket}?versions&delimiter=/&encoding-type=url`)).text;
    const rows = [
      ...whole.matchAll(/<(Version|DeleteMarker)><Key>([^<]*)<\/Key><VersionId>([^<]*)<\/VersionId><IsLatest>(\w+)</g),
    ];
    expect(rows.map(([, kind, key, , latest]) => [kind, key, latest])).toEqual([
      ['DeleteMarker', 'a', 'true'],
      ['Version', 'a', 'false'],
      ['Version', 'a', 'false'],
      ['Version', 'z%20z', 'true'],
    ]);
    expect(whole).toContain('<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>');
    expect(whole).toMatch(/<Version>.*<ETag>&quot;[0-9a-f]{32}&quot;<\/ETag>.*<Size>1<\/Size><Owner><ID>root<\/ID>/);
    const paged: string[] = [];
    let more = '';
    for (let page = 0; page < 10; page += 1) {
      const { text } = await s3.ask('GET', `${bucket}?versions&delimiter=/&encoding-type=url&max-keys=1${more}`);
      paged.push(
        ...[...text.matchAll(/<VersionId>([^<]*)<|<CommonPrefixes><Prefix>([^<]*)</g)].map(
          ([, id, prefix]) => id ?? prefix ?? '',
        ),
      );
      if (!text.includes('<IsTruncated>true<')) break;
      const [, key = ''] = /<NextKeyMarker>([^<]*)</.exec(text) ?? [];
      const version = /<NextVersionIdMarker>([^<]*)</.exec(text)?.[1];
      more = `&key-marker=${key}${version === undefined ? '' : `&version-id-marker=${version}`}`;
    }
    const [marker, ...ids] = rows.map((row) => row[3]);
    expect(paged).toEqual([marker, ids[0], ids[1], 'd/', ids[2]]);
  });

  it('takes objects of a bucket without versioning for null versions', async () => {
    const bucket = await bucketWith();
    await s3.ask('PUT', `${bucket}/k`, { body: 'x' });
    const { text } = await s3.ask('GET', `${bucket}?versions`);
    expect(text).toContain('<Key>k</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>');
    expect((await s3.ask('GET', `${bucket}/k?versionId=null`)).text).toBe('x');
    expect((await s3.ask('DELETE', `${bucket}/k?versionId=null`)).status).toBe(204);
    expect((await s3.ask('GET', `${bucket}/k`)).status).toBe(404);
  });
});
