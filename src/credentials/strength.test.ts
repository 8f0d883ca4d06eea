import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import { checkStrength } from './strength.ts';

const statusOf = (secret: string, id = 'AKIDEXAMPLE') => checkStrength(new Secret(id), new Secret(secret)).status;

test.each([
  ['minioadmin', 'fail'],
  ['wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'fail'],
  ['hunter2hunter2', 'fail'],
  ['a'.repeat(200), 'fail'],
  ['abcdefghijklmnopqrstuvwxyz0123456789', 'fail'],
  ['correct-horse-battery', 'warn'],
])('%s: %s', (secret, status) => {
  expect(statusOf(secret)).toBe(status);
});

test('a secret that is the key id is none', () => {
  const text = randomBytes(24).toString('base64url');
  expect(statusOf(text, text)).toBe('fail');
});

test('keys of 128 random bits and more hold', () => {
  for (let round = 0; round < 200; round += 1) {
    expect(statusOf(randomBytes(20).toString('hex'))).toBe('ok');
    expect(statusOf(randomBytes(30).toString('base64'))).toBe('ok');
  }
});

test('no finding repeats the secret', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8, maxLength: 64 }), (secret) => {
      const finding = checkStrength(new Secret('id'), new Secret(secret));
      // What the finding says of every secret is not a repetition.
      const said = JSON.stringify(checkStrength(new Secret('id'), new Secret('\u0000'.repeat(9))));
      fc.pre(!said.includes(secret) && !/^[\d ,a-z-]+$/.test(secret));
      expect(`${finding.found} ${finding.subject}`).not.toContain(secret);
    }),
  );
});
