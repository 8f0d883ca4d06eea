import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Error } from '../errors.ts';
import { checkFormPolicy, parseFormPolicy } from './policy.ts';

const EXPIRATION = '2030-01-01T00:00:00Z';
const encode = (document: unknown) => Buffer.from(JSON.stringify(document)).toString('base64');
const parse = (conditions: unknown) => parseFormPolicy(encode({ expiration: EXPIRATION, conditions }));
const refusal = (action: () => unknown) => {
  try {
    action();
    return 'accepted';
  } catch (error) {
    return error instanceof S3Error ? error.code : String(error);
  }
};
const check = (conditions: unknown, fields: Record<string, string>, now = 0) =>
  refusal(() => checkFormPolicy(parse(conditions), new Map(Object.entries(fields)), now));

describe('parseFormPolicy', () => {
  it.each([
    ['no JSON', Buffer.from('{').toString('base64')],
    ['no base64', '***'],
    ['no expiration', encode({ conditions: [] })],
    ['another spelling', encode({ EXPIRATION, conditions: [] })],
    ['a local date', encode({ expiration: '2030-01-01 00:00:00', conditions: [] })],
    ['an impossible date', encode({ expiration: '2030-13-41T00:00:00Z', conditions: [] })],
    ['no conditions', encode({ expiration: EXPIRATION })],
    ['CONDITIONS', encode({ expiration: EXPIRATION, CONDITIONS: [] })],
    ['an empty condition', encode({ expiration: EXPIRATION, conditions: [{}] })],
    ['two in one', encode({ expiration: EXPIRATION, conditions: [{ a: '1', b: '2' }] })],
    ['an unknown operator', encode({ expiration: EXPIRATION, conditions: [['matches', '$key', '.*']] })],
    ['no dollar', encode({ expiration: EXPIRATION, conditions: [['eq', 'key', 'a']] })],
    ['one bound', encode({ expiration: EXPIRATION, conditions: [['content-length-range', 0]] })],
    ['a negative bound', encode({ expiration: EXPIRATION, conditions: [['content-length-range', -1, 0]] })],
    ['a nested condition', encode({ expiration: EXPIRATION, conditions: [['eq', '$key', ['a']]] })],
    ['1,001 conditions', encode({ expiration: EXPIRATION, conditions: Array(1001).fill({ a: '1' }) })],
  ])('refuses %s', (_, policy) => {
    expect(refusal(() => parseFormPolicy(policy))).toBe('InvalidPolicyDocument');
  });

  it('answers a policy or a refusal for anything', () => {
    fc.assert(
      fc.property(fc.json(), (json) =>
        ['accepted', 'InvalidPolicyDocument'].includes(
          refusal(() => parseFormPolicy(Buffer.from(json).toString('base64'))),
        ),
      ),
    );
  });
});

describe('checkFormPolicy', () => {
  it.each([
    ['met', [{ bucket: 'b' }, ['starts-with', '$key', 'user/']], { bucket: 'b', key: 'user/x' }, 'accepted'],
    ['met in any case of names', [{ BUCKET: 'b' }, ['StArTs-WiTh', '$KeY', '']], { bucket: 'b', key: 'x' }, 'accepted'],
    ['another bucket', [{ bucket: 'b' }, ['eq', '$key', 'k']], { bucket: 'c', key: 'k' }, 'AccessDenied'],
    ['another case of values', [{ bucket: 'b' }, ['eq', '$key', 'K']], { bucket: 'b', key: 'k' }, 'AccessDenied'],
    ['a field without a condition', [{ bucket: 'b' }], { bucket: 'b', acl: 'public-read' }, 'AccessDenied'],
    ['a condition without its field', [{ bucket: 'b' }, { acl: 'private' }], { bucket: 'b' }, 'AccessDenied'],
    ['a field to ignore', [{ bucket: 'b' }], { bucket: 'b', 'x-ignore-me': '1' }, 'accepted'],
    ['the signature itself', [{ bucket: 'b' }], { bucket: 'b', policy: 'p', 'x-amz-signature': 's' }, 'accepted'],
    ['no conditions at all', [], { bucket: 'b', key: 'k' }, 'AccessDenied'],
  ])('%s', (_, conditions, fields, expected) => {
    expect(check(conditions, fields)).toBe(expected);
  });

  it('ends', () => {
    expect(check([{ bucket: 'b' }], { bucket: 'b' }, Date.parse(EXPIRATION))).toBe('accepted');
    expect(check([{ bucket: 'b' }], { bucket: 'b' }, Date.parse(EXPIRATION) + 1)).toBe('AccessDenied');
  });
});
