import { describe, expect, it } from 'vitest';
import { DAY } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { checkLifecycle, type LifecycleRule, parseLifecycleJson } from './index.ts';

const rule = (prefix: string, expirationDays: number | undefined, abortUploadsDays?: number): LifecycleRule => ({
  id: 'r',
  enabled: true,
  prefix,
  expirationDays,
  abortUploadsDays,
});
const aborts = rule('', undefined, 1);

function status(program: 'loki' | 'tempo', prefix: string, ...rules: LifecycleRule[]) {
  const findings = checkLifecycle({ program, bucket: 'b', prefix, rules: [...rules, aborts], retention: 31 * DAY });
  return findings.map((finding) => finding.status);
}

describe("a rule on Loki's bucket", () => {
  it.each<[string, LifecycleRule, string]>([
    ['the whole bucket', rule('', 90), 'fail'],
    ['all of the prefix', rule('logs/', 90), 'fail'],
    ['half of a name', rule('logs/fa', 90), 'fail'],
    ['the index', rule('logs/index/', 900), 'fail'],
    ['the chunks, before the compactor', rule('logs/fake/', 31), 'fail'],
    ['the chunks, later than retention and delay', rule('logs/fake/', 32), 'ok'],
    ['another prefix', rule('backup/', 1), 'ok'],
  ])('%s', (_what, one, expected) => {
    expect(status('loki', 'logs', one)).toEqual([expected, 'ok']);
  });

  it('that is disabled does no harm', () => {
    expect(status('loki', '', { ...rule('', 1), enabled: false })).toEqual(['ok']);
  });
});

it("may not expire anything of Tempo's", () => {
  expect(status('tempo', 't', rule('t/single-tenant/', 900))).toEqual(['fail', 'ok']);
  expect(status('tempo', 't', rule('other/', 1))).toEqual(['ok', 'ok']);
});

it('is missed where nothing removes abandoned uploads', () => {
  const findings = checkLifecycle({
    program: 'loki',
    bucket: 'b',
    prefix: 'a',
    rules: [rule('b/', undefined, 1)],
    retention: DAY,
  });
  expect(findings).toMatchObject([{ id: 'loki-abandoned-uploads', status: 'warn' }]);
});

describe("the AWS CLI's document", () => {
  it('has the prefix in any of three places', () => {
    const text = JSON.stringify({
      Rules: [
        { ID: 'a', Status: 'Enabled', Filter: { Prefix: 'x/' }, Expiration: { Days: 3 } },
        { ID: 'b', Status: 'Disabled', Prefix: 'y/', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } },
        { Status: 'Enabled', Filter: { And: { Prefix: 'z/', Tags: [] } } },
        { ID: 'c', Status: 'Enabled', Filter: {}, Prefix: '' },
      ],
    });
    expect(parseLifecycleJson('f', text)).toEqual([
      { ...rule('x/', 3), id: 'a' },
      { ...rule('y/', undefined, 2), id: 'b', enabled: false },
      { ...rule('z/', undefined), id: 'number 3' },
      { ...rule('', undefined), id: 'c' },
    ]);
  });

  it.each(['', '[]', '{}', '{"Rules":3}'])('is refused as %j', (text) => {
    expect(() => parseLifecycleJson('f', text)).toThrow(UsageError);
  });
});
