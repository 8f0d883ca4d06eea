import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseQuery } from '../query.ts';
import { decodeToken, encodeToken, parseEncoding, parsePageSize } from './listing.ts';
import { urlEncode } from './xml-out.ts';

it('tokens carry any name', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => decodeToken('t', encodeToken(name)) === name));
});

it('anything else is InvalidArgument', () => {
  fc.assert(
    fc.property(fc.string(), (token) => {
      try {
        expect(encodeToken(decodeToken('continuation-token', token))).toBe(token);
      } catch (error) {
        expect(error).toHaveProperty('code', 'InvalidArgument');
      }
    }),
  );
});

it('page sizes', () => {
  const size = (query: string) => parsePageSize(parseQuery(query), 'max-keys');
  expect(size('')).toBe(1000);
  expect(size('max-keys=')).toBe(1000);
  expect(size('max-keys=0')).toBe(0);
  expect(size('max-keys=7')).toBe(7);
  expect(size('max-keys=5000')).toBe(1000);
  for (const bad of ['-1', 'x', '1.5', '99999999999', '%2B1', '2147483648']) {
    expect(() => size(`max-keys=${bad}`), bad).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
  }
});

it('encoding types', () => {
  expect(parseEncoding(parseQuery('encoding-type=url'))).toBe('url');
  expect(parseEncoding(parseQuery(''))).toBeUndefined();
  expect(() => parseEncoding(parseQuery('encoding-type=xml'))).toThrow(
    expect.objectContaining({ code: 'InvalidArgument' }),
  );
});

it('url encoding keeps slashes and is undone by every decoder', () => {
  expect(urlEncode('a b/+é\x01')).toBe('a%20b/%2B%C3%A9%01');
});
