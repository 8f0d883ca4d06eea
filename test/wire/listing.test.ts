import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type WireService } from './service.ts';

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
