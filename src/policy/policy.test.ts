import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';
import type { PolicyRequest, Requester } from './model.ts';
import { MAX_POLICY_BYTES, parsePolicy } from './parse.ts';
import { compilePattern, matches } from './pattern.ts';
import { isPublic } from './public.ts';

const user = (name: string, account = 'root', owner = false): Requester => ({
  kind: 'user',
  account,
  canonicalId: account,
  arn: `arn:aws:iam::${account}:user/${name}`,
  owner,
});
const anonymous: Requester = { kind: 'anonymous' };

interface Asked {
  readonly requester?: Requester;
  readonly action?: string;
  readonly resource?: string;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

function request({
  requester = anonymous,
  action = 's3:GetObject',
  resource = 'b/k',
  context = {},
}: Asked): PolicyRequest {
  const answers = new Map(
    Object.entries(context).map(([key, value]) => [key, typeof value === 'string' ? [value] : value]),
  );
  return { requester, action, resource: `arn:aws:s3:::${resource}`, context: (key) => answers.get(key) };
}

const statement = (fields: object) => ({
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:*',
  Resource: ['arn:aws:s3:::b', 'arn:aws:s3:::b/*'],
  ...fields,
});
const document = (...statements: object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements.map(statement) });
const bucketPolicy = (...statements: object[]) => parsePolicy(document(...statements), { kind: 'bucket', bucket: 'b' });
const effect = (fields: object, asked: Asked) => evaluate(bucketPolicy(fields), request(asked)).effect;
const conditioned = (Condition: object, context: Asked['context'] = {}) => effect({ Condition }, { context });

describe('what is refused', () => {
  const refused = (fields: object) => expect(() => bucketPolicy(fields));
  it.each([
    ['no JSON', 'no'],
    ['a list', '[]'],
    ['no statement', '{"Version":"2012-10-17"}'],
    ['no statements', '{"Version":"2012-10-17","Statement":[]}'],
    ['an unknown version', '{"Version":"2025-01-01","Statement":[]}'],
    ['an unknown field', '{"Statement":[],"Statements":[]}'],
    [
      'a name twice',
      '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Effect":"Allow"}]}',
    ],
    ['a name twice, written otherwise', '{"Version":"2012-10-17","\\u0056ersion":"2008-10-17","Statement":[]}'],
    ['deep nesting', '['.repeat(9000) + ']'.repeat(9000)],
    ['too many bytes', `{"Id":"${'x'.repeat(MAX_POLICY_BYTES)}"}`],
  ])('%s', (_, text) => {
    expect(() => parsePolicy(text, { kind: 'bucket', bucket: 'b' })).toThrow();
  });
  it('misspelt elements, effects, actions, operators and keys', () => {
    refused({ Efect: 'Deny' }).toThrow('Unknown field');
    refused({ Effect: 'allow' }).toThrow('Invalid effect');
    refused({ Action: 's3:GetObjekt' }).toThrow('invalid action');
    refused({ Action: 's3:Fetch*' }).toThrow('invalid action');
    refused({ Action: [] }).toThrow('Action');
    refused({ Condition: { StringEqual: { 'aws:Referer': 'x' } } }).toThrow('Invalid Condition type');
    refused({ Condition: { StringEquals: { referer: 'x' } } }).toThrow('condition key');
    refused({ Condition: { NumericEquals: { 's3:max-keys': 'ten' } } }).toThrow();
    refused({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } } }).toThrow('IP address');
    refused({ Condition: { DateLessThan: { 'aws:CurrentTime': 'soon' } } }).toThrow();
  });
  it('principals that mean nobody, and Allow to all but some', () => {
    refused({ Principal: undefined }).toThrow('Principal');
    refused({ Principal: {} }).toThrow('Invalid principal');
    refused({ Principal: { AWS: 'arn:aws:iam::root:user/*' } }).toThrow('Invalid principal');
    refused({ Principal: { User: 'alice' } }).toThrow('Invalid principal');
    refused({ Principal: undefined, NotPrincipal: { AWS: 'alice' } }).toThrow('NotPrincipal');
  });
  it('other buckets', () => {
    refused({ Resource: 'arn:aws:s3:::other/*' }).toThrow('invalid resource');
    refused({ Resource: 'arn:aws:s3:::bb' }).toThrow('invalid resource');
    refused({ Resource: 'b/*' }).toThrow('invalid resource');
    expect(() => bucketPolicy({ Action: 's3:*', Resource: 'arn:aws:s3:::b' })).not.toThrow();
    expect(() => bucketPolicy({ Action: 's3:GetObject', Resource: 'arn:aws:s3:::b*' })).not.toThrow();
  });
  it('principals in an identity policy', () => {
    expect(() => parsePolicy(document({}), { kind: 'identity' })).toThrow('should not specify a principal');
  });
});

describe('evaluation', () => {
  it('an explicit deny wins, whatever the order', () => {
    const rules = [{ Action: 's3:GetObject' }, { Effect: 'Deny', Action: 's3:Get*' }];
    expect(evaluate(bucketPolicy(...rules), request({})).effect).toBe('deny');
    expect(evaluate(bucketPolicy(...rules.toReversed()), request({})).effect).toBe('deny');
  });
  it('actions compare without case, keys with it', () => {
    expect(effect({ Action: 'S3:getOBJECT' }, {})).toBe('allow');
    expect(
      effect({ Effect: 'Deny', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/Secret*' }, { resource: 'b/secret' }),
    ).toBe('none');
  });
  it('NotAction and NotResource take in everything else', () => {
    expect(effect({ Action: undefined, NotAction: 's3:GetObject' }, {})).toBe('none');
    expect(effect({ Action: undefined, NotAction: 's3:GetObject' }, { action: 's3:PutObject' })).toBe('allow');
    expect(effect({ Resource: undefined, NotResource: 'arn:aws:s3:::b/private/*' }, { resource: 'b/private/k' })).toBe(
      'none',
    );
    expect(effect({ Resource: undefined, NotResource: 'arn:aws:s3:::b/private/*' }, { resource: 'b/k' })).toBe('allow');
  });
  it('a principal that is an account leaves the choice to that account', () => {
    const policy = bucketPolicy({ Principal: { AWS: 'arn:aws:iam::team:root' } });
    expect(evaluate(policy, request({ requester: user('alice', 'team') }))).toMatchObject({ by: 'account' });
    expect(evaluate(policy, request({ requester: user('boss', 'team', true) }))).toMatchObject({ by: 'direct' });
    expect(evaluate(policy, request({ requester: user('alice', 'other') })).effect).toBe('none');
    expect(evaluate(policy, request({})).effect).toBe('none');
  });
  it('users by ARN; without an account it is the root account', () => {
    const fields = { Principal: { AWS: ['arn:aws:iam:::user/alice', 'arn:aws:iam::team:user/bob'] } };
    expect(effect(fields, { requester: user('alice') })).toBe('allow');
    expect(effect(fields, { requester: user('alice', 'team') })).toBe('none');
    expect(effect(fields, { requester: user('bob', 'team') })).toBe('allow');
  });
  it('Deny with NotPrincipal spares only who is named', () => {
    const fields = {
      Effect: 'Deny',
      Principal: undefined,
      NotPrincipal: { AWS: ['arn:aws:iam::root:user/alice', 'team'] },
    };
    expect(effect(fields, { requester: user('alice') })).toBe('none');
    expect(effect(fields, { requester: user('bob') })).toBe('deny');
    expect(effect(fields, { requester: user('boss', 'team', true) })).toBe('none');
    expect(effect(fields, { requester: user('bob', 'team') })).toBe('deny');
    expect(effect(fields, {})).toBe('deny');
  });
});

describe('conditions', () => {
  it('strings', () => {
    expect(conditioned({ StringEquals: { 's3:prefix': ['a/', 'b/'] } }, { 's3:prefix': 'b/' })).toBe('allow');
    expect(conditioned({ StringEquals: { 's3:prefix': 'a*' } }, { 's3:prefix': 'ab' })).toBe('none');
    expect(conditioned({ StringLike: { 's3:Prefix': 'a*' } }, { 's3:prefix': 'ab' })).toBe('allow');
    expect(conditioned({ StringEqualsIgnoreCase: { 'aws:Referer': 'X' } }, { 'aws:referer': 'x' })).toBe('allow');
    expect(conditioned({ StringNotLike: { 'aws:Referer': ['a*', 'b*'] } }, { 'aws:referer': 'bx' })).toBe('none');
  });
  it('a missing key fails, but not for negated operators and IfExists', () => {
    expect(conditioned({ StringEquals: { 's3:prefix': '' } })).toBe('none');
    expect(conditioned({ StringNotEquals: { 's3:prefix': 'x' } })).toBe('allow');
    expect(conditioned({ StringEqualsIfExists: { 's3:prefix': 'x' } })).toBe('allow');
    expect(conditioned({ NumericLessThanIfExists: { 's3:max-keys': '10' } }, { 's3:max-keys': '11' })).toBe('none');
    expect(conditioned({ Null: { 's3:prefix': 'true' } })).toBe('allow');
    expect(conditioned({ Null: { 's3:prefix': false } })).toBe('none');
    expect(conditioned({ Null: { 's3:prefix': 'false' } }, { 's3:prefix': '' })).toBe('allow');
  });
  it('all lines of all operators must hold', () => {
    const Condition = { StringEquals: { 's3:prefix': 'a', 's3:delimiter': '/' } };
    expect(conditioned(Condition, { 's3:prefix': 'a' })).toBe('none');
    expect(conditioned(Condition, { 's3:prefix': 'a', 's3:delimiter': '/' })).toBe('allow');
  });
  it('numbers and dates', () => {
    expect(conditioned({ NumericLessThanEquals: { 's3:max-keys': 10 } }, { 's3:max-keys': '10' })).toBe('allow');
    expect(conditioned({ NumericEquals: { 's3:max-keys': '10' } }, { 's3:max-keys': '0x0a' })).toBe('none');
    const now = { 'aws:currenttime': '2026-11-24T12:00:00Z', 'aws:epochtime': '1795521600' };
    expect(conditioned({ DateGreaterThan: { 'aws:CurrentTime': '2026-11-24T11:59:59Z' } }, now)).toBe('allow');
    expect(conditioned({ DateLessThan: { 'aws:EpochTime': '2026-11-24T12:00:00Z' } }, now)).toBe('none');
  });
  it('addresses of both families, mapped ones too', () => {
    const Condition = { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] } };
    expect(conditioned(Condition, { 'aws:sourceip': '10.1.2.3' })).toBe('allow');
    expect(conditioned(Condition, { 'aws:sourceip': '::ffff:10.1.2.3' })).toBe('allow');
    expect(conditioned(Condition, { 'aws:sourceip': '2001:db8::1' })).toBe('allow');
    expect(conditioned(Condition, { 'aws:sourceip': '11.1.2.3' })).toBe('none');
    expect(conditioned({ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, { 'aws:sourceip': '::ffff:10.1.2.3' })).toBe(
      'none',
    );
  });
  it('sets of values', () => {
    const tags = { 's3:requestobjecttagkeys': ['a', 'b'] };
    expect(conditioned({ 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['a', 'b', 'c'] } }, tags)).toBe(
      'allow',
    );
    expect(conditioned({ 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': 'a' } }, tags)).toBe('none');
    expect(conditioned({ 'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': 'a' } }, tags)).toBe('allow');
    expect(conditioned({ 'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': 'a' } })).toBe('none');
    expect(conditioned({ 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': 'a' } })).toBe('allow');
  });
  it('a tag key keeps its case', () => {
    const Condition = { StringEquals: { 'S3:existingobjecttag/Team': 'x' } };
    expect(conditioned(Condition, { 's3:existingobjecttag/Team': 'x' })).toBe('allow');
    expect(conditioned(Condition, { 's3:existingobjecttag/team': 'x' })).toBe('none');
  });
  it('ARNs part by part', () => {
    const Condition = { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/build-*' } };
    expect(conditioned(Condition, { 'aws:principalarn': 'arn:aws:iam::root:user/build-1' })).toBe('allow');
    expect(conditioned(Condition, { 'aws:principalarn': 'arn:aws:iam::root:role/user/build-1' })).toBe('none');
    const other = { ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::a:*' } };
    expect(conditioned(other, { 'aws:principalarn': 'arn:aws:iam::b:user/x' })).toBe('allow');
  });
});

describe('variables', () => {
  const home = { Resource: `arn:aws:s3:::b/home/\${aws:username}/*`, Action: 's3:GetObject' };
  it('stand for what the request says, literally', () => {
    expect(effect(home, { resource: 'b/home/alice/k', context: { 'aws:username': 'alice' } })).toBe('allow');
    expect(effect(home, { resource: 'b/home/bob/k', context: { 'aws:username': 'alice' } })).toBe('none');
    expect(effect(home, { resource: 'b/home/bob/k', context: { 'aws:username': '*' } })).toBe('none');
    expect(effect(home, { resource: 'b/home//k' })).toBe('none');
  });
  it('have defaults and escapes, and mean nothing in the old version', () => {
    expect(effect({ ...home, Resource: `arn:aws:s3:::b/\${aws:username, 'all'}` }, { resource: 'b/all' })).toBe(
      'allow',
    );
    expect(effect({ ...home, Resource: `arn:aws:s3:::b/\${*}` }, { resource: 'b/x' })).toBe('none');
    expect(effect({ ...home, Resource: `arn:aws:s3:::b/\${*}` }, { resource: 'b/*' })).toBe('allow');
    const old = document(home).replace('2012', '2008');
    const policy = parsePolicy(old, { kind: 'bucket', bucket: 'b' });
    const asked = { resource: 'b/home/alice/k', context: { 'aws:username': 'alice' } };
    expect(evaluate(policy, request(asked)).effect).toBe('none');
  });
  it('are told, so that what they need can be looked up', () => {
    expect(bucketPolicy(home).keys).toEqual(new Set(['aws:username']));
    const tagged = bucketPolicy({ Condition: { StringEquals: { 's3:ExistingObjectTag/Team': `\${aws:username}` } } });
    expect(tagged.keys).toEqual(new Set(['s3:existingobjecttag/Team', 'aws:username']));
  });
});

test('what counts as public', () => {
  const open = (fields: object) => isPublic(bucketPolicy(fields));
  expect(open({})).toBe(true);
  expect(open({ Principal: { AWS: ['team', '*'] } })).toBe(true);
  expect(open({ Principal: { AWS: 'team' } })).toBe(false);
  expect(open({ Effect: 'Deny' })).toBe(false);
  expect(open({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })).toBe(false);
  expect(open({ Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } } })).toBe(true);
  expect(open({ Condition: { StringLike: { 'aws:username': 'a*' } } })).toBe(true);
  expect(open({ Condition: { StringNotEquals: { 'aws:username': 'a' } } })).toBe(true);
  expect(open({ Condition: { StringEquals: { 'aws:Referer': 'a' } } })).toBe(true);
});

test('each statement says why it did not apply', () => {
  const policy = bucketPolicy(
    { Sid: 'list', Action: 's3:ListBucket' },
    { Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
  );
  const reports = explain(policy, request({ context: { 'aws:securetransport': 'false' } }));
  expect(reports).toMatchObject([
    { statement: 'list', applies: false, why: 'its actions do not include s3:GetObject' },
    { statement: 'statement 2', applies: false, why: expect.stringContaining('the request has false') },
  ]);
});

describe('properties', () => {
  const none = () => undefined;
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '/', '😀'), maxLength: 14 });
  const plain = fc.string({ unit: fc.constantFrom('a', 'b', '/', '😀'), maxLength: 14 });

  it('wildcards match as the equal regular expression does', () => {
    fc.assert(
      fc.property(letters, plain, (source, text) => {
        const expression = source.replace(/[*?/]/g, (char) => (char === '*' ? '.*' : char === '?' ? '.' : '\\/'));
        const expected = new RegExp(`^${expression}$`, 'su').test(text);
        expect(matches(compilePattern(source, { wildcards: true, variables: true }), text, none)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
  it('a hostile pattern takes no more than pattern × text steps', () => {
    const pattern = compilePattern(`${'*a'.repeat(500)}b`, { wildcards: true, variables: true });
    expect(matches(pattern, 'a'.repeat(1024), none)).toBe(false);
  });
  it('no text makes the parser fail with anything but its own error', () => {
    const names = fc.constantFrom(
      'Version',
      'Statement',
      'Effect',
      'Principal',
      'Action',
      'Resource',
      'Condition',
      'StringLike',
      'aws:username',
      'AWS',
    );
    const words = fc.constantFrom('2012-10-17', 'Allow', '*', 's3:*', `arn:aws:s3:::b/\${`, `\${aws:username}`, '');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        words,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(names, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const text = JSON.stringify({ Version: '2012-10-17', Statement: value });
        try {
          parsePolicy(text, { kind: 'bucket', bucket: 'b' });
        } catch (error) {
          expect(error).toMatchObject({ name: 'PolicyError' });
        }
      }),
      { numRuns: 1000 },
    );
  });
  it('more statements never turn a deny into an allow', () => {
    const rule = fc.record({
      Effect: fc.constantFrom('Allow', 'Deny'),
      Action: fc.constantFrom('s3:*', 's3:GetObject', 's3:Put*'),
      Resource: fc.constantFrom('arn:aws:s3:::b/*', 'arn:aws:s3:::b/k', 'arn:aws:s3:::b*'),
    });
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 5 }), fc.array(rule, { maxLength: 5 }), (some, more) => {
        const before = evaluate(bucketPolicy(...some), request({})).effect;
        const after = evaluate(bucketPolicy(...some, ...more), request({})).effect;
        if (before === 'deny') expect(after).toBe('deny');
        if (before === 'allow') expect(after).not.toBe('none');
      }),
    );
  });
});
