import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../settings/index.ts';
import { stackModel } from '../../stack/index.ts';
import { withoutSecrets } from './diff.ts';
import { MigrationError } from './errors.ts';
import { planLokiMigration } from './loki.ts';
import { translatedBlock } from './loki-s3-block.ts';

const model = stackModel(parseSettings({ environment: {} }));
const translated = (old: Readonly<Record<string, unknown>>) => translatedBlock('f', old, model);

describe("the older client's block, for the Thanos client", () => {
  it('keeps endpoint, region, bucket, keys and time-outs under their new names', () => {
    const block = translated({
      endpoint: 'http://10.0.0.1:9000/',
      region: 'here',
      bucketnames: 'logs',
      s3forcepathstyle: true,
      access_key_id: 'A',
      secret_access_key: 'B',
      storage_class: 'COLD',
      http_config: { idle_conn_timeout: '90s', ca_file: '/ca.pem', timeout: '5s' },
      sse: { type: 'SSE-S3' },
    });
    expect(block).toEqual({
      endpoint: '10.0.0.1:9000',
      insecure: true,
      region: 'here',
      bucket_name: 'logs',
      bucket_lookup_type: 'path',
      dualstack_enabled: false,
      max_retries: 10,
      access_key_id: 'A',
      secret_access_key: 'B',
      storage_class: 'COLD',
      sse: { type: 'SSE-S3' },
      http: { idle_conn_timeout: '90s', tls_ca_path: '/ca.pem' },
    });
  });

  it.each([
    [
      's3://K:S%2F%2B@minio.local:9000/logs',
      { endpoint: 'minio.local:9000', bucket_name: 'logs', secret_access_key: 'S/+' },
    ],
    [
      's3://eu-central-1/logs',
      { endpoint: 's3.eu-central-1.amazonaws.com', region: 'eu-central-1', bucket_name: 'logs' },
    ],
  ])('reads %s', (s3, expected) => {
    expect(translated({ s3 })).toMatchObject(expected);
  });

  it.each([
    ['several buckets', { bucketnames: 'a,b' }],
    ['another delimiter', { bucketnames: 'a', chunk_delimiter: '_' }],
    ['a URL of variables', { s3: ['s3://', '{KEY}:', '{SECRET}@host/bucket'].join('$') }],
    ['a URL of something else', { s3: 'https://host/bucket' }],
  ])('refuses %s', (_name, old) => {
    expect(() => translated(old)).toThrow(MigrationError);
  });
});

describe('a file of the older client', () => {
  const file = (aws: string, more = '') => `storage_config:
  aws: ${aws}
schema_config:
  configs:
    - { from: 2022-01-01, store: boltdb-shipper, object_store: aws, schema: v12, index: { prefix: index_, period: 24h } }
${more}`;
  const fine = '{ endpoint: h, region: r, bucketnames: cloudlysis-loki }';
  const input = { subject: 'f', from: undefined, model, now: Date.parse('2026-06-10T15:00:00Z') } as const;

  it('gets the new client by --to s3, no period changed, and then there is nothing to do', () => {
    const { kind, text } = planLokiMigration({ ...input, text: file(fine), to: 's3' });
    expect(kind).toBe('client');
    expect(text).toContain('object_store: aws');
    expect(text).toMatch(/named_stores:\n +s3:\n +aws:\n +endpoint: h\n/);
    expect(planLokiMigration({ ...input, text, to: 's3' }).kind).toBe('nothing');
  });

  it.each([
    ['rules that the new client would not find', file(fine, 'ruler: { storage: { type: s3 } }\n')],
    ['a prefix that the new client does not take', file(fine).replace('aws:', 'object_prefix: a/b\n  aws:')],
    ['another bucket than that of the settings', file('{ endpoint: h, bucketnames: other }')],
  ])('is refused with %s', (_name, text) => {
    expect(() => planLokiMigration({ ...input, text, to: 's3' })).toThrow(MigrationError);
  });
});

describe('withoutSecrets', () => {
  const variable = ['$', '{SECRET}'].join('');
  it('leaves no key in what is printed, and everything else as it is', () => {
    const text = [
      'access_key_id: AKIA1',
      "  secret_access_key: 's e#c'",
      'a: { secret_access_key: x/y+z, region: r }',
      's3: s3://KEY:SE%2FCRET@host:9/b',
      `secret_access_key: ${variable}`,
      'bucket_name: logs',
    ].join('\n');
    expect(withoutSecrets(text)).toBe(
      [
        'access_key_id: [redacted]',
        '  secret_access_key: [redacted]',
        'a: { secret_access_key: [redacted], region: r }',
        's3: s3://[redacted]@host:9/b',
        `secret_access_key: ${variable}`,
        'bucket_name: logs',
      ].join('\n'),
    );
  });

  it('whatever a bare secret is, it is not in there', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9/+=]{8,40}$/);
    fc.assert(
      fc.property(secret, (value) => {
        expect(withoutSecrets(`+  secret_access_key: ${value} # ours`)).not.toContain(value);
      }),
    );
  });
});
