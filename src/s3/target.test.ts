import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Error } from './errors.ts';
import { parseTarget } from './target.ts';

const path = (url: string) => parseTarget(url, '127.0.0.1:9000', undefined);

describe('path style', () => {
  it.each([
    ['/', 'service', '', ''],
    ['/b', 'bucket', 'b', ''],
    ['/b/', 'bucket', 'b', ''],
    ['/b/k', 'object', 'b', 'k'],
    ['/b//', 'object', 'b', '/'],
    ['/b//k', 'object', 'b', '/k'],
    ['/b/a//b', 'object', 'b', 'a//b'],
    ['/b/a/', 'object', 'b', 'a/'],
    ['/b/../x', 'object', 'b', '../x'],
    ['/b/..%2Fx', 'object', 'b', '../x'],
    ['/b/./x', 'object', 'b', './x'],
    ['/b/a+b%2Bc%20d', 'object', 'b', 'a+b+c d'],
    ['/b/100%25', 'object', 'b', '100%'],
    ['/b/%01%0A', 'object', 'b', '\x01\n'],
    ['/b/k%3Fx', 'object', 'b', 'k?x'],
    ['/b/%E2%82%AC', 'object', 'b', '€'],
    ['/b/\u00e2\u0082\u00ac', 'object', 'b', '€'],
    ['http://host:1/b/k', 'object', 'b', 'k'],
  ])('%s', (url, scope, bucket, key) => {
    expect(path(url)).toMatchObject({ scope, bucket, key });
  });

  it('keeps the raw path and query', () => {
    expect(path('/b/%41?x=%42&y')).toMatchObject({ key: 'A', rawPath: '/b/%41', rawQuery: 'x=%42&y' });
  });

  it.each([
    ['/b/%', 'InvalidURI'],
    ['/b/%ff', 'InvalidURI'],
    ['/b/%00', 'InvalidURI'],
    ['/b/%C0%AF', 'InvalidURI'],
    ['*', 'InvalidURI'],
    ['//k', 'InvalidBucketName'],
    [`/b/${'k'.repeat(1025)}`, 'KeyTooLongError'],
    [`/b/${'%C3%A9'.repeat(513)}`, 'KeyTooLongError'],
  ])('refuses %s', (url, code) => {
    expect(() => path(url)).toThrow(expect.objectContaining({ code }));
  });

  it('accepts 1,024 bytes', () => {
    expect(path(`/b/${'%C3%A9'.repeat(512)}`).key).toHaveLength(512);
  });

  it('gives back any key verbatim', () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .filter((text) => !text.includes('\0') && Buffer.byteLength(text) <= 1024);
    fc.assert(
      fc.property(key, (text) => {
        expect(path(`/bucket/${encodeURIComponent(text)}`).key).toBe(text);
        expect(path(`/bucket/${encodeURIComponent(text).replaceAll('%2F', '/')}`).key).toBe(text);
      }),
    );
  });

  it('answers a target or an S3Error for anything', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string(), { nil: undefined }), (url, host) => {
        try {
          parseTarget(url, host, 's3.example');
        } catch (error) {
          expect(error).toBeInstanceOf(S3Error);
        }
      }),
    );
  });
});

describe('virtual-host style', () => {
  it.each([
    ['b.localhost:9000', undefined, 'b'],
    ['my.bucket.localhost', undefined, 'my.bucket'],
    ['B.S3.Example:80', 's3.example', 'b'],
    ['b.s3.localhost', 's3.localhost', 'b'],
  ])('%s under %s', (host, domain, bucket) => {
    expect(parseTarget('/a/b', host, domain)).toMatchObject({ scope: 'object', bucket, key: 'a/b' });
    expect(parseTarget('/', host, domain)).toMatchObject({ scope: 'bucket', bucket, key: '' });
    expect(parseTarget('//x', host, domain)).toMatchObject({ scope: 'object', bucket, key: '/x' });
  });

  it.each([
    ['localhost:9000', undefined],
    ['s3.localhost', 's3.localhost'],
    ['s3.example', 's3.example'],
    ['notlocalhost', undefined],
    ['[::1]:9000', undefined],
    ['127.0.0.1', undefined],
    [undefined, 's3.example'],
  ])('%s is path style', (host, domain) => {
    expect(parseTarget('/b/k', host, domain)).toMatchObject({ bucket: 'b', key: 'k' });
  });
});
