import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3Error } from '../errors.ts';
import { allowingRule, type CorsRule, corsRulesXml, keptCorsRules, parseCorsRules } from './cors-rules.ts';
import { parseXml } from './xml-in.ts';

const parse = (content: string) =>
  parseCorsRules(parseXml(Buffer.from(`<CORSConfiguration>${content}</CORSConfiguration>`)));
const code = (content: string) => {
  try {
    parse(content);
    return 'accepted';
  } catch (error) {
    return error instanceof S3Error ? error.code : error;
  }
};
const rule = (origins: string[], methods: string[], headers: string[] = []): CorsRule => ({
  id: undefined,
  origins,
  methods,
  headers,
  expose: [],
  maxAgeSeconds: undefined,
});

describe('parseCorsRules', () => {
  const ok = '<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>';
  it.each([
    ['no rule', '', 'MalformedXML'],
    ['101 rules', `<CORSRule>${ok}</CORSRule>`.repeat(101), 'MalformedXML'],
    ['no method', '<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>', 'MalformedXML'],
    ['no origin', '<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>', 'MalformedXML'],
    ['an unknown method', `<CORSRule>${ok}<AllowedMethod>PATCH</AllowedMethod></CORSRule>`, 'InvalidRequest'],
    ['two wildcards', `<CORSRule>${ok}<AllowedOrigin>*a*</AllowedOrigin></CORSRule>`, 'InvalidRequest'],
    ['a wildcard to expose', `<CORSRule>${ok}<ExposeHeader>x-*</ExposeHeader></CORSRule>`, 'InvalidRequest'],
    ['a line break to expose', `<CORSRule>${ok}<ExposeHeader>a&#xd;&#xa;b</ExposeHeader></CORSRule>`, 'MalformedXML'],
    ['a strange age', `<CORSRule>${ok}<MaxAgeSeconds>-1</MaxAgeSeconds></CORSRule>`, 'MalformedXML'],
    ['an unknown element', `<CORSRule>${ok}<X>1</X></CORSRule>`, 'MalformedXML'],
    ['the least there can be', `<CORSRule>${ok}</CORSRule>`, 'accepted'],
  ])('%s', (_, content, expected) => {
    expect(code(content)).toBe(expected);
  });

  it('keeps what it was given', () => {
    const given = fc.array(
      fc.record({
        id: fc.option(fc.stringMatching(/^[a-z]{1,9}$/), { nil: undefined }),
        origins: fc.array(fc.stringMatching(/^[a-z:/.]{0,9}\*?[a-z]{1,9}$/), { minLength: 1, maxLength: 4 }),
        methods: fc.array(fc.constantFrom('GET', 'PUT', 'HEAD'), { minLength: 1, maxLength: 3 }),
        headers: fc.array(fc.stringMatching(/^[a-z-]{0,9}\*?$/), { maxLength: 3 }),
        expose: fc.array(fc.stringMatching(/^[a-z-]{1,9}$/), { maxLength: 3 }),
        maxAgeSeconds: fc.option(fc.nat(), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(given, (rules) => {
        expect(keptCorsRules(corsRulesXml(rules))).toEqual(rules);
      }),
    );
  });
});

describe('allowingRule', () => {
  const ask = (rules: CorsRule[], origin: string, method: string, headers: string[] = []) =>
    allowingRule(rules, { origin, method, headers })?.allowOrigin;

  it('matches one wildcard anywhere, and names the origin unless any will do', () => {
    const rules = [rule(['https://*.example.com', 'start*end'], ['GET']), rule(['*'], ['PUT'])];
    expect(ask(rules, 'https://a.example.com', 'GET')).toBe('https://a.example.com');
    expect(ask(rules, 'https://.example.com', 'GET')).toBe('https://.example.com');
    expect(ask(rules, 'https://example.com', 'GET')).toBeUndefined();
    expect(ask(rules, 'https://a.example.com.evil', 'GET')).toBeUndefined();
    expect(ask(rules, 'startend', 'GET')).toBe('startend');
    expect(ask(rules, 'starend', 'GET')).toBeUndefined();
    expect(ask(rules, 'anything', 'PUT')).toBe('*');
    expect(ask(rules, 'anything', 'DELETE')).toBeUndefined();
  });

  it('wants every header allowed by the same rule', () => {
    const rules = [rule(['*'], ['PUT'], ['x-amz-*', 'content-type'])];
    expect(ask(rules, 'o', 'PUT', ['x-amz-date', 'content-type'])).toBe('*');
    expect(ask(rules, 'o', 'PUT', ['x-amz-date', 'authorization'])).toBeUndefined();
  });

  it('takes no longer for a nasty pattern', () => {
    expect(
      ask([rule([`${'a'.repeat(1000)}*${'b'.repeat(1000)}`], ['GET'])], 'a'.repeat(100_000), 'GET'),
    ).toBeUndefined();
  });
});
