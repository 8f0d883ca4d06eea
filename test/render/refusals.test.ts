/** Bad input: one clear message each, and nothing rendered. */
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { SettingsError } from '../../src/settings/index.ts';
import { RenderError, renderCredentialsFile } from '../../src/stack/index.ts';
import { type Environment, modelOf } from './settings.ts';

const connection = {
  S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  S3_SECRET_ACCESS_KEY: 'secretsecretsecret',
};

function problems(environment: Environment): readonly string[] {
  try {
    modelOf({ ...connection, ...environment });
  } catch (error) {
    if (error instanceof SettingsError) return error.problems.map(({ name }) => name);
    throw error;
  }
  return [];
}

describe('settings that cannot be rendered', () => {
  it.each<[string, Environment, string[]]>([
    ['an endpoint with a path', { S3_ENDPOINT: 'https://host/bucket' }, ['S3_ENDPOINT']],
    ['a Loki prefix with a slash in it', { S3_PREFIX_LOKI: 'a/b' }, ['S3_PREFIX_LOKI']],
    ['a Loki prefix with an underscore', { S3_PREFIX_LOKI: 'a_b' }, ['S3_PREFIX_LOKI']],
    ['a retention shorter than an index period', { RETENTION_LOGS: '23h' }, ['RETENTION_LOGS']],
    ['a key that is not set', { S3_SECRET_ACCESS_KEY: '' }, ['S3_SECRET_ACCESS_KEY']],
    ['a quote in a bucket name', { S3_BUCKET_LOKI: 'a"b' }, ['S3_BUCKET_LOKI']],
    ['a new line in a region', { S3_REGION: 'a\nb: c' }, ['S3_REGION']],
  ])('%s', (_what, environment, names) => {
    expect(problems(environment)).toEqual(names);
  });

  it('one bucket for both with nested prefixes', () => {
    const shared = { S3_BUCKET_LOKI: 'one', S3_BUCKET_TEMPO: 'one' };
    expect(problems({ ...shared, S3_PREFIX_LOKI: 'a', S3_PREFIX_TEMPO: 'a/b' }).length).toBeGreaterThan(0);
    expect(problems({ ...shared, S3_PREFIX_LOKI: 'a', S3_PREFIX_TEMPO: 'ab' })).toEqual([]);
    // Without prefixes each gets its own.
    expect(problems(shared)).toEqual([]);
  });

  it('a slash at either end of a prefix is no problem', () => {
    expect(modelOf({ ...connection, S3_PREFIX_LOKI: '/loki/' }).loki.prefixName).toBe('loki');
  });
});

describe('the credentials file', () => {
  const render = (accessKeyId: string, secretAccessKey: string) =>
    renderCredentialsFile({ accessKeyId: new Secret(accessKeyId), secretAccessKey: new Secret(secretAccessKey) });

  it('has the format of AWS', () => {
    expect(render('AKIA', 'a+b/c=')).toBe('[default]\naws_access_key_id = AKIA\naws_secret_access_key = a+b/c=\n');
  });

  it.each(['', 'a"b', "a'b", 'a b', 'a\nb', 'a#b', 'a;b', 'a\\', 'a`b', '%(x)s', 'ä'])(
    'refuses the key %j without showing it',
    (key) => {
      const attempt = () => render('AKIA', key);
      expect(attempt).toThrow(RenderError);
      try {
        attempt();
      } catch (error) {
        if (key !== '') expect(String(error)).not.toContain(key);
        expect(error).toMatchObject({ subject: 'S3_SECRET_ACCESS_KEY', advice: expect.any(String) });
      }
    },
  );
});
