import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UsageError } from '../core/errors.ts';
import { overlap, parseLocation } from './location.ts';

test.each([
  ['s3://acme-loki', { kind: 'bucket', connection: undefined, bucket: 'acme-loki', prefix: '' }],
  ['s3://acme-loki/', { kind: 'bucket', connection: undefined, bucket: 'acme-loki', prefix: '' }],
  ['s3+old://acme/a/b', { kind: 'bucket', connection: 'old', bucket: 'acme', prefix: 'a/b/' }],
  ['s3://acme/a%20b//', { kind: 'bucket', connection: undefined, bucket: 'acme', prefix: 'a%20b//' }],
  ['./somewhere', { kind: 'directory', path: './somewhere' }],
  ['s3', { kind: 'directory', path: 's3' }],
])('%s', (text, location) => expect(parseLocation(text)).toEqual(location));

test.each(['', 's3://', 's3:///x', 's3://A_B/x', 'http://host/bucket', 's3+://b', 's3+a b://bucket', 'gs://bucket'])(
  '%j is refused or a path, never a crash',
  (text) => {
    if (text.includes(' ')) expect(parseLocation(text).kind).toBe('directory');
    else expect(() => parseLocation(text)).toThrow(UsageError);
  },
);

test('any text is a location or a usage error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((rest) => `s3://${rest}`),
      ),
      (text) => {
        try {
          const location = parseLocation(text);
          if (location.kind === 'bucket' && location.prefix !== '') expect(location.prefix.endsWith('/')).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      },
    ),
  );
});

test('places within each other are found', () => {
  const at = (text: string) => parseLocation(text);
  expect(overlap(at('/a/b'), at('/a'), [undefined, undefined])).toBe(true);
  expect(overlap(at('/a/b'), at('/a/bc'), [undefined, undefined])).toBe(false);
  expect(overlap(at('s3://acme/x'), at('s3://acme'), ['u', 'u'])).toBe(true);
  expect(overlap(at('s3://acme/x'), at('s3://acme/xy'), ['u', 'u'])).toBe(false);
  expect(overlap(at('s3://acme'), at('s3://acme'), ['u', 'v'])).toBe(false);
});
