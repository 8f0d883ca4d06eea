import { expect, test } from 'vitest';
import { parseSettings, SettingsError } from '../settings/index.ts';
import { detect, providers, resolveConnection, resolveEffective } from './index.ts';

const keys = { S3_ACCESS_KEY_ID: 'AKIDEXAMPLE', S3_SECRET_ACCESS_KEY: 'correct-horse-battery' };

function connection(environment: Record<string, string>) {
  const settings = parseSettings({ environment: { ...keys, ...environment } });
  if (settings.storage.kind !== 's3') throw new Error('expected S3');
  return { settings, ...resolveConnection(settings.storage) };
}

test.each([
  ['fsn1.your-objectstorage.com', 'hetzner', 'fsn1'],
  ['my-bucket.hel1.your-objectstorage.com', 'hetzner', 'hel1'],
  ['s3.amazonaws.com', 'aws', undefined],
  ['s3.eu-central-1.amazonaws.com', 'aws', 'eu-central-1'],
  ['s3.dualstack.us-gov-west-1.amazonaws.com', 'aws', 'us-gov-west-1'],
  ['s3.cn-north-1.amazonaws.com.cn', 'aws', 'cn-north-1'],
  ['minio', 'minio', undefined],
  ['minio.example.org', 'minio', undefined],
  ['rgw.example.org', 'ceph', undefined],
  ['0123abcd.r2.cloudflarestorage.com', 'r2', undefined],
  ['s3.eu-central-003.backblazeb2.com', 'b2', 'eu-central-003'],
  ['s3.eu-central-2.wasabisys.com', 'wasabi', 'eu-central-2'],
  ['s3.wasabisys.com', 'wasabi', undefined],
  ['my-bucket.s3.fr-par.scw.cloud', 'scaleway', 'fr-par'],
  ['s3.gra.io.cloud.ovh.net', 'ovh', 'gra'],
  ['s3.eu-west-par.io.cloud.ovh.net', 'ovh', 'eu-west-par'],
  ['garage', 'garage', undefined],
  ['seaweedfs.example.org', 'seaweedfs', undefined],
  ['rustfs', 'rustfs', undefined],
  ['your-objectstorage.com.evil.example', 'generic', undefined],
  ['xs3.amazonaws.com', 'generic', undefined],
  ['127.0.0.1', 'generic', undefined],
])('%s is %s with region %s', (host, name, region) => {
  const profile = detect({ host });
  expect([profile.name, profile.regionOf(host)]).toEqual([name, region]);
});

test('the profile fills in what the settings leave open, and config show says so', () => {
  const { settings, region, forcePathStyle, checksums } = connection({ S3_ENDPOINT: 'nbg1.your-objectstorage.com' });
  expect({ region, forcePathStyle, checksums }).toEqual({
    region: 'nbg1',
    forcePathStyle: true,
    checksums: 'when-required',
  });
  expect(resolveEffective(settings).find(({ name }) => name === 'S3_REGION')).toMatchObject({
    value: 'nbg1',
    origin: { kind: 'provider', profile: 'hetzner' },
  });
});

test('settings beat the profile', () => {
  const given = { S3_ENDPOINT: 's3.amazonaws.com', S3_REGION: 'eu-west-1', S3_FORCE_PATH_STYLE: 'true' };
  expect(connection(given)).toMatchObject({ region: 'eu-west-1', forcePathStyle: true });
  expect(connection({ S3_ENDPOINT: 'minio', S3_PROVIDER: 'ceph' }).provider.name).toBe('ceph');
});

test('an unknown provider is a problem with a suggestion', () => {
  expect(() => connection({ S3_ENDPOINT: 'x', S3_PROVIDER: 'hetzer' })).toThrow(/did you mean hetzner/);
  expect(() => connection({ S3_ENDPOINT: 'x', S3_PROVIDER: 'hetzer' })).toThrow(SettingsError);
});

test('where tenants are users of the provider, its tool that makes them is known', () => {
  for (const { name, isolation, usersBy } of providers)
    expect(usersBy !== undefined, name).toBe(isolation === 'identity');
});

test('names are distinct, and every partial feature says what is missing', () => {
  expect(new Set(providers.map(({ name }) => name)).size).toBe(providers.length);
  for (const { name, features, notes } of providers) {
    for (const [feature, state] of Object.entries(features)) {
      if (state === 'partial') expect(Object.keys(notes), `${name} ${feature}`).toContain(feature);
    }
  }
});
