import fc from 'fast-check';
import { expect, it } from 'vitest';
import { S3Error } from '../errors.ts';
import { parseCopySource } from './copy-source.ts';

const parse = (header: string) => parseCopySource({ 'x-amz-copy-source': header });

it.each([
  ['bucket/key', 'key'],
  ['/bucket/key', 'key'],
  ['bucket/a%2Fb', 'a/b'],
  ['bucket%2Fkey', 'key'],
  ['bucket//key', '/key'],
  ['bucket/a+b%20c', 'a+b c'],
  ['bucket/key%3FversionId=x', 'key?versionId=x'],
])('%s', (header, key) => {
  expect(parse(header)).toEqual({ bucket: 'bucket', key });
});

it('reads the version, which follows the encoded key', () => {
  expect(parse('bucket/a%3Fb?versionId=abc')).toEqual({ bucket: 'bucket', key: 'a?b', versionId: 'abc' });
});

it.each([
  ['', 'InvalidArgument'],
  ['bucket', 'InvalidArgument'],
  ['bucket/', 'InvalidArgument'],
  ['Bucket/key', 'InvalidArgument'],
  ['bucket/%zz', 'InvalidArgument'],
  ['bucket/key?versionId=', 'InvalidArgument'],
  ['arn:aws:s3:us-east-1:1:accesspoint/a/object/k', 'NotImplemented'],
  [`bucket/${'k'.repeat(1025)}`, 'KeyTooLongError'],
])('refuses %s', (header, code) => {
  expect(() => parse(header)).toThrow(expect.objectContaining({ code }));
});

it('answers a source or an S3Error for anything', () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      try {
        expect(parse(header).key).not.toBe('');
      } catch (error) {
        expect(error).toBeInstanceOf(S3Error);
      }
    }),
  );
});
