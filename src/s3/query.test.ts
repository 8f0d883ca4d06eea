import fc from 'fast-check';
import { expect, it } from 'vitest';
import { S3Error } from './errors.ts';
import { parseQuery } from './query.ts';

it('reads bare words, empty values, plus and percent', () => {
  const query = parseQuery('acl&a=&b=1+2%2B3&%C3%A9=%E2%82%AC&&');
  expect([...query]).toEqual([
    ['acl', ''],
    ['a', ''],
    ['b', '1 2+3'],
    ['é', '€'],
  ]);
  expect(query.get('nothing')).toBeUndefined();
  expect(query.has('acl')).toBe(true);
});

it('refuses a parameter that is read and was given twice', () => {
  const query = parseQuery('a=1&b=2&a=3');
  expect(query.get('b')).toBe('2');
  expect(() => query.get('a')).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
});

it.each(['%', '%zz', 'a=%ff', '%c3%28', Array.from({ length: 200 }, (_, at) => `p${at}`).join('&')])(
  'refuses %s',
  (raw) => {
    expect(() => parseQuery(raw)).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
  },
);

it('reads back what URLSearchParams writes', () => {
  const pairs = fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' })));
  fc.assert(
    fc.property(pairs, (list) => {
      expect([...parseQuery(new URLSearchParams(list).toString())]).toEqual(list);
    }),
  );
});

it('answers a query or InvalidURI for anything', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)) }), (raw) => {
      try {
        parseQuery(raw);
      } catch (error) {
        expect(error).toBeInstanceOf(S3Error);
        expect(error).toHaveProperty('code', 'InvalidURI');
      }
    }),
  );
});
