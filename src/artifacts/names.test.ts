import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArtifactError } from './errors.ts';
import { entryName, entryNumber, layoutBelow } from './layout.ts';
import { checkName, formatReference, parseReference } from './names.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

test.each(['projections/orders:1.4.2', 'orders:2026-11-24+build.7', 'a/b/c@production', `orders@${digest}`])(
  '%s is a reference, and is written as it was read',
  (text) => {
    expect(formatReference(parseReference(text))).toBe(text);
  },
);

test.each([
  '',
  'orders',
  'orders:',
  'orders@',
  ':1',
  '../orders:1',
  'a/../b:1',
  'a//b:1',
  '/a:1',
  'a/:1',
  'A:1',
  'a__b:1',
  'a:../1',
  'a:.1',
  'a:1/2',
  'a:1\n',
  'a@Prod',
  'a@../x',
  'a@sha256:12',
  `a@${digest.toUpperCase()}`,
])('%j is none', (text) => expect(() => parseReference(text)).toThrow(ArtifactError));

test('any text is a reference that is written as it was read, or refused by our own error', () => {
  const near = fc.stringMatching(/^[a-z0-9/._:@+-]{0,40}$/);
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      try {
        expect(formatReference(parseReference(text))).toBe(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ArtifactError);
      }
    }),
  );
});

test('names come back from the prefixes that stand for them', () => {
  const layout = layoutBelow('x/');
  for (const name of ['orders', 'projections/orders', 'a_b/c-d.e']) {
    const prefix = layout.versions(checkName(name)).replace(/versions\/$/, '');
    expect(layout.nameOf(prefix)).toBe(name);
  }
});

test('of two entries the newer one sorts first, and its number can be read', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_998 }), (number) => {
      expect(entryName(number + 1) < entryName(number)).toBe(true);
      expect(entryNumber(entryName(number))).toBe(number);
    }),
  );
  expect(entryNumber('999999998-2')).toBeUndefined();
});
