import { expect, it } from 'vitest';
import { isBucketName } from './bucket-name.ts';

it.each(['abc', 'my-bucket', 'my.bucket', '1bucket', 'a'.repeat(63), 'a-.b'])('%s is a name', (name) => {
  expect(isBucketName(name)).toBe(true);
});

it.each([
  '',
  'ab',
  'a'.repeat(64),
  'Upper',
  'under_score',
  '-start',
  'end-',
  '.start',
  'end.',
  'two..dots',
  '192.168.5.4',
  'xn--bucket',
  'sthree-bucket',
  'bucket-s3alias',
  'bucket--ol-s3',
  'bucket.mrap',
  'bucket--x-s3',
  'sp ace',
  'é-bucket',
  'a/b',
])('%s is none', (name) => {
  expect(isBucketName(name)).toBe(false);
});
