import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ask, startService, type WireService } from './service.ts';

/** Every kind of key that S3 allows and that file-backed servers trip over. */
const keys = [
  '../x',
  './dot',
  '/leading',
  '%2e%2e/x',
  '100%',
  'a',
  'a b+c',
  'a//b',
  'a/b',
  'a/b/',
  'a/b/c',
  'control\x01\n',
  'k'.repeat(1024),
  'trailing/',
  'unicode é€😀 &?=#;"<>|*',
  'z',
];

let s3: WireService;
beforeAll(async () => {
  s3 = await startService();
  await s3.ask('PUT', '/bucket');
  for (const key of keys) {
    expect((await s3.ask('PUT', `/bucket/${encodeURIComponent(key)}`, { body: key })).status, key).toBe(200);
  }
});
afterAll(() => s3[Symbol.asyncDispose]());

const names = (text: string) =>
  [...text.matchAll(/<(Key|Prefix)>([^<]*)<\/\1>/g)].slice(1).map(([, , name]) => decodeURIComponent(name ?? ''));
const page = async (query: string) => {
  const answer = await s3.ask('GET', `/bucket?${query}`);
  expect(answer.status).toBe(200);
  const next = /<(?:NextContinuationToken|NextMarker)>([^<]*)</.exec(answer.text)?.[1];
  return { text: answer.text, names: names(answer.text), next };
};
const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

describe('every key', () => {
  it.each(keys)('%j comes back', async (key) => {
    expect((await s3.ask('GET', `/bucket/${encodeURIComponent(key)}`)).text).toBe(key);
  });

  it('is listed, in the order of its bytes, by both versions', async () => {
    expect((await page('list-type=2&encoding-type=url')).names).toEqual(sorted);
    expect((await page('encoding-type=url')).names).toEqual(sorted);
  });

  it.each([1, 3, 7])('is listed once in pages of %i', async (size) => {
    const found: string[] = [];
    let token: string | undefined;
    for (let i = 0; i <= keys.length; i++) {
      const from = token === undefined ? '' : `&continuation-token=${token}`;
      const result = await page(`list-type=2&encoding-type=url&max-keys=${size}${from}`);
      found.push(...result.names);
      token = result.next;
      if (token === undefined) break;
    }
    expect(found).toEqual(sorted);
  });
});

it('groups by a delimiter, and goes on after a group', async () => {
  const all = await page('list-type=2&delimiter=/&encoding-type=url');
  expect(all.text.match(/<CommonPrefixes>/g)).toHaveLength(6);
  const inside = await page('list-type=2&delimiter=/&prefix=a/&encoding-type=url');
  expect(inside.names).toEqual(['a/b', 'a//', 'a/b/']);
  const found: string[] = [];
  let marker: string | undefined;
  for (let i = 0; i <= keys.length; i++) {
    const result = await page(
      `delimiter=/&max-keys=1&encoding-type=url${marker === undefined ? '' : `&marker=${marker}`}`,
    );
    found.push(...result.names);
    marker = result.next;
    if (marker === undefined) break;
  }
  expect(found.toSorted()).toEqual(all.names.toSorted());
});

it('starts after a key, and has an empty page', async () => {
  expect((await page('list-type=2&start-after=trailing/&encoding-type=url')).names).toEqual(
    sorted.slice(sorted.indexOf('trailing/') + 1),
  );
  const none = await page('list-type=2&max-keys=0');
  expect(none.text).toContain('<KeyCount>0</KeyCount><MaxKeys>0</MaxKeys><IsTruncated>false</IsTruncated>');
});

it('writes control characters as references without encoding-type', async () => {
  expect((await page('list-type=2&prefix=control')).text).toContain('<Key>control&#x1;&#xa;</Key>');
});

it('virtual-host style reaches the same objects', async () => {
  const host = `bucket.localhost:${s3.port}`;
  expect((await s3.ask('GET', '/a/b', { headers: { host } })).text).toBe('a/b');
  expect((await s3.ask('GET', '/%2Fleading', { headers: { host } })).text).toBe('/leading');
  expect((await s3.ask('GET', '/?list-type=2&max-keys=1', { headers: { host } })).text).toContain(
    '<Name>bucket</Name>',
  );
});

describe('virtual-host style under a configured domain', () => {
  let hosted: WireService;
  beforeAll(async () => {
    hosted = await startService({ domain: 's3.example.com' });
    for (const bucket of ['plain', 'with.dots']) expect((await hosted.ask('PUT', `/${bucket}`)).status).toBe(200);
    await hosted.ask('PUT', '/plain/plain/key', { body: 'by path' });
    await hosted.ask('PUT', '/with.dots/key', { body: 'dotted' });
  });
  afterAll(() => hosted[Symbol.asyncDispose]());
  const at = (host: string, method: string, target: string, ask: Ask = {}) =>
    hosted.ask(method, target, { ...ask, headers: { host, ...ask.headers } });

  it('names buckets in the host, whatever its case and port, and objects in the whole path', async () => {
    for (const host of ['plain.s3.example.com', `plain.s3.example.com:${hosted.port}`, 'PLAIN.S3.example.COM']) {
      expect((await at(host, 'GET', '/plain/key')).text, host).toBe('by path');
      expect((await at(host, 'GET', '/?list-type=2')).text).toContain('<Key>plain/key</Key>');
    }
    expect((await at('with.dots.s3.example.com', 'GET', '/key')).text).toBe('dotted');
    expect((await at('plain.s3.example.com', 'PUT', '/new', { body: 'x' })).status).toBe(200);
    expect((await at('s3.example.com', 'GET', '/plain/new')).text).toBe('x');
    expect((await at('made.s3.example.com', 'PUT', '/')).status).toBe(200);
    expect((await at('s3.example.com', 'GET', '/')).text).toContain('<Name>made</Name>');
    expect((await at('made.s3.example.com', 'DELETE', '/')).status).toBe(204);
  });

  it('takes any other host for path style, and a foreign signature for none', async () => {
    for (const host of ['127.0.0.1', 's3.example.com.evil.org', 'plain.s3.example.org', 'xs3.example.com']) {
      expect((await at(host, 'GET', '/plain/plain/key')).text, host).toBe('by path');
    }
    const unsigned = { host: 'with.dots.s3.example.com' };
    expect((await at('plain.s3.example.com', 'GET', '/key', { unsigned })).code).toBe('SignatureDoesNotMatch');
    expect((await at('No_Bucket.s3.example.com', 'GET', '/key')).code).toBe('InvalidBucketName');
  });
});

it('pages buckets', async () => {
  await s3.ask('PUT', '/another-bucket');
  const first = await s3.ask('GET', '/?max-buckets=1');
  expect(first.text).toContain('<Name>another-bucket</Name>');
  const token = /<ContinuationToken>([^<]*)</.exec(first.text)?.[1];
  const second = await s3.ask('GET', `/?max-buckets=1&continuation-token=${token}`);
  expect(second.text).toContain('<Name>bucket</Name>');
  expect(second.text).not.toContain('<ContinuationToken>');
  expect((await s3.ask('GET', '/?max-buckets=0')).code).toBe('InvalidArgument');
});
