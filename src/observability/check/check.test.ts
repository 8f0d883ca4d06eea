import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY } from '../../core/durations.ts';
import type { Finding } from '../../core/finding.ts';
import { parseSettings } from '../../settings/index.ts';
import { type StackModel, stackModel } from '../../stack/index.ts';
import { renderLoki, renderLokiFilesystem, renderLokiS3 } from '../loki/render.ts';
import { renderTempoFilesystem, renderTempoS3 } from '../tempo/render.ts';
import { checkLoki, checkSharedBucket, checkTempo, checkVolumes, lokiDirectories } from './index.ts';

const now = Date.parse('2026-11-23T12:00:00Z');
const hetzner = stackModel(
  parseSettings({
    environment: {
      S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
      S3_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      S3_SECRET_ACCESS_KEY: 'secretsecretsecret',
      S3_PREFIX_LOKI: 'loki',
      S3_PREFIX_TEMPO: 'tempo',
    },
  }),
);

const wantedOf = (model: StackModel, use: 'loki' | 'tempo') => ({
  store: model.store,
  bucket: model[use].bucket,
  prefix: model[use].prefixName,
});
const loki = (text: string, wanted = true) =>
  checkLoki({
    subject: 'loki.yml',
    text,
    wanted: wanted ? wantedOf(hetzner, 'loki') : undefined,
    retention: 31 * DAY,
    now,
  });
const tempo = (text: string, wanted = true) =>
  checkTempo({
    subject: 'tempo.yml',
    text,
    wanted: wanted ? wantedOf(hetzner, 'tempo') : undefined,
    retention: 14 * DAY,
  });
const complaints = (findings: readonly Finding[]) =>
  findings.filter(({ status }) => status !== 'ok').map(({ id, status }) => `${status} ${id}`);

describe('what we render ourselves', () => {
  it('has nothing to complain about', () => {
    expect(complaints(loki(renderLokiS3(hetzner)))).toEqual([]);
    expect(complaints(tempo(renderTempoS3(hetzner)))).toEqual([]);
    expect(complaints(loki(renderLokiFilesystem(hetzner), false))).toEqual([]);
    expect(complaints(tempo(renderTempoFilesystem(hetzner), false))).toEqual([]);
    const s3 = renderLokiS3(hetzner).replaceAll('cloudlysis-loki', 'one');
    expect(complaints(checkSharedBucket(s3, renderTempoS3(hetzner).replaceAll('cloudlysis-tempo', 'one')))).toEqual([]);
  });
});

it('a disk store without the prefix of the settings is told before the switch would hide it', () => {
  const told = (environment: Readonly<Record<string, string>>) => {
    const text = renderLokiFilesystem(stackModel(parseSettings({ environment })));
    const input = { subject: 'loki.yml', text, wanted: undefined, retention: 31 * DAY, now };
    return complaints(checkLoki({ ...input, prefix: 'prod' }));
  };
  expect(told({})).toEqual(['warn loki-disk-prefix']);
  expect(told({ S3_PREFIX_LOKI: '/prod/' })).toEqual([]);
});

describe('one thing wrong in a Loki file', () => {
  const good = renderLokiS3(hetzner);
  it.each<[string, string, string, string[]]>([
    ['a scheme in the endpoint', '"fsn1.your', '"https://fsn1.your', ['fail loki-endpoint']],
    ['plain http', 'insecure: false', 'insecure: true', ['fail loki-insecure']],
    ['no region', '      region: "fsn1"\n', '', ['warn loki-region']],
    ['another bucket', 'bucket_name: "cloudlysis-loki"', 'bucket_name: other', ['fail loki-bucket']],
    [
      'a leading slash in the prefix',
      'storage_prefix: "loki"',
      'storage_prefix: /loki',
      ['fail loki-prefix-characters'],
    ],
    ['no prefix', 'storage_prefix: "loki"', 'storage_prefix: ""', ['fail loki-prefix']],
    ['the key of the other client', 'bucket_lookup_type: path', 's3forcepathstyle: true', ['fail loki-keys']],
    ['a key that is a guess', 'max_retries: 10', 'retries: 10', ['fail loki-keys']],
    ['a retention that is no duration', 'retention_period: 744h', 'retention_period: forever', ['fail loki-retention']],
    ['a retention of a year', 'retention_period: 744h', 'retention_period: 1y', ['warn loki-retention']],
    ['retention off', 'retention_enabled: true', 'retention_enabled: false', ['warn loki-retention']],
    ['a retention below a day', 'retention_period: 744h', 'retention_period: 12h', ['fail loki-retention']],
    ['another retention', 'retention_period: 744h', 'retention_period: 48h', ['warn loki-retention']],
    [
      'delete requests elsewhere',
      'delete_request_store: s3',
      'delete_request_store: filesystem',
      ['fail loki-delete-requests'],
    ],
    ['no delete requests', 'delete_request_store: s3', '', ['fail loki-delete-requests']],
    ['no write-ahead log', 'enabled: true\n    dir', 'enabled: false\n    dir', ['fail loki-wal']],
    ['a relative write-ahead log', 'dir: /loki/wal', 'dir: wal', ['fail loki-wal']],
    [
      'compactor state in /tmp',
      'working_directory: /loki/compactor',
      'working_directory: /tmp/c',
      ['fail loki-compactor-directory'],
    ],
    ['usage reports', 'reporting_enabled: false', 'reporting_enabled: true', ['warn loki-reports']],
    ['an old schema', 'schema: v13', 'schema: v12', ['warn loki-schema']],
    ['no day', 'from: "2024-01-01"', 'from: yesterday', ['fail loki-periods']],
    ['an unknown store', 'object_store: s3', 'object_store: s4', ['fail loki-stores', 'fail loki-delete-requests']],
    ['keys in the file', 'dualstack_enabled: false', 'secret_access_key: abcdef', ['fail loki-credentials']],
    [
      'keys from variables',
      'dualstack_enabled: false',
      `secret_access_key: "\${KEY}"`,
      ['warn loki-variables', 'warn loki-credentials'],
    ],
    ['no YAML', 'server:', 'server: [', ['fail loki-yaml']],
    [
      'an index on the disk, its chunks in S3',
      'storage_config:\n',
      'storage_config:\n  tsdb_shipper: { shared_store: filesystem }\n',
      ['fail loki-keys', 'fail loki-index-store'],
    ],
    ['tabs', 'server:\n  http', 'server:\n\thttp', ['fail loki-yaml']],
  ])('%s', (_what, from, to, expected) => {
    expect(good).toContain(from);
    const findings = loki(good.replace(from, to));
    expect(complaints(findings)).toEqual(expected);
    for (const { status, why, advice } of findings) {
      if (status !== 'ok') expect([why, advice]).toEqual([expect.any(String), expect.any(String)]);
    }
  });

  it('the older client, which Ceph may refuse', () => {
    const text = good
      .replace('use_thanos_objstore: true', 'use_thanos_objstore: false')
      .replace('  object_store:\n', '  aws:\n    endpoint: fsn1.your-objectstorage.com\n  object_store:\n');
    expect(complaints(loki(text))).toContain('warn loki-client');
  });

  it('a period that began days ago, and one out of order', () => {
    const periods = (from: string) =>
      renderLoki(hetzner, {
        major: 3,
        periods: [
          { from: '2024-01-01', store: 'filesystem' },
          { from, store: 's3' },
        ],
      });
    expect(complaints(loki(periods('2026-11-23')))).toEqual(['warn loki-periods']);
    expect(complaints(loki(periods('2026-11-25')))).toEqual([]);
    expect(complaints(loki(periods('2026-01-01')))).toEqual([]);
    expect(complaints(loki(periods('2023-01-01')))).toEqual(['fail loki-periods']);
  });

  it('still on the disk although the settings name S3', () => {
    expect(complaints(loki(renderLokiFilesystem(hetzner)))).toEqual(['warn loki-storage']);
  });
});

describe('one thing wrong in a Tempo file', () => {
  const good = renderTempoS3(hetzner);
  it.each<[string, string, string, string[]]>([
    ['a scheme in the endpoint', '"fsn1.your', '"https://fsn1.your', ['fail tempo-endpoint']],
    ['the compactor of Tempo 2', 'usage_report:', 'compactor: {}\nusage_report:', ['fail tempo-keys']],
    ["Loki's spelling", 'bucket: "cloud', 'bucket_name: "cloud', ['fail tempo-keys', 'fail tempo-bucket']],
    ['a prefix with a leading slash', 'prefix: "tempo"', 'prefix: /tempo', ['fail tempo-prefix-slash']],
    ['a retention in days', 'block_retention: 336h', 'block_retention: 14d', ['fail tempo-retention']],
    ['tags', 'forcepathstyle: true', 'tags: {a: b}', ['warn tempo-tags']],
    ['another retention in the scheduler', 'block_retention: 336h', 'block_retention: 48h', ['warn tempo-retention']],
    ['a live store in /tmp', '/var/tempo/live-store/traces', '/tmp/traces', ['fail tempo-live-store']],
    ['a receiver on localhost', 'http:\n          endpoint: 0.0.0.0:4318', 'http:', ['warn tempo-otlp-http']],
    ['a poll too slow', 'blocklist_poll: 1m', 'blocklist_poll: 10m', ['warn tempo-search-window']],
    ['the disk', 'backend: s3', 'backend: local', ['warn tempo-storage']],
  ])('%s', (_what, from, to, expected) => {
    expect(good).toContain(from);
    expect(complaints(tempo(good.replace(from, to)))).toEqual(expected);
  });
});

describe('both', () => {
  it('in one bucket without prefixes', () => {
    const bare = (text: string) =>
      text.replace(/cloudlysis-(?:loki|tempo)/g, 'one').replace(/prefix: "(?:loki|tempo)"/, 'prefix: ""');
    expect(complaints(checkSharedBucket(bare(renderLokiS3(hetzner)), bare(renderTempoS3(hetzner))))).toEqual([
      'fail shared-bucket',
    ]);
  });

  it('without a volume', () => {
    const compose = (volumes: string) =>
      `services:\n  loki:\n    image: \${LOKI_IMAGE:-grafana/loki:3.7.6}\n    volumes: ${volumes}\n  other:\n    image: nginx\n`;
    expect(complaints(checkVolumes('c.yml', compose('["loki-data:/loki"]')))).toEqual([]);
    expect(complaints(checkVolumes('c.yml', compose('[{type: volume, source: a, target: /loki}]')))).toEqual([]);
    expect(complaints(checkVolumes('c.yml', compose('["./x.yml:/etc/loki/config.yml:ro"]')))).toEqual([
      'fail loki-volume',
    ]);
    expect(complaints(checkVolumes('c.yml', compose('[/loki]')))).toEqual(['fail loki-volume']);
    expect(complaints(checkVolumes('c.yml', compose('[{type: tmpfs, target: /loki}]')))).toEqual(['fail loki-volume']);
    const inMemory = `${compose('["a:/loki"]')}volumes: { a: { driver_opts: { type: tmpfs, device: tmpfs } } }\n`;
    expect(complaints(checkVolumes('c.yml', inMemory))).toEqual(['fail loki-volume']);
  });

  it('with a volume elsewhere than the configuration has its directories', () => {
    const compose = 'services: { loki: { image: grafana/loki, volumes: ["a:/loki"] } }';
    const findings = (text: string) => checkVolumes('c.yml', compose, { loki: lokiDirectories(text) });
    expect(complaints(findings(renderLokiFilesystem(hetzner)))).toEqual([]);
    expect(findings('common: { path_prefix: /data }')).toMatchObject([
      { status: 'fail', found: 'nothing lasting is mounted on /data/wal, /data/compactor' },
    ]);
    // What is relative is told beside the configuration.
    expect(findings('auth_enabled: false')).toEqual([]);
  });

  it('survive aliases that multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let depth = 1; depth < 12; depth += 1)
      lines.push(
        `a${depth}: &a${depth} [${Array(9)
          .fill(`*a${depth - 1}`)
          .join(', ')}]`,
      );
    expect(complaints(loki(lines.join('\n')))).toEqual(['fail loki-yaml']);
  });

  it('never throw, whatever the text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, (any) => {
        const findings = [...loki(any), ...tempo(any), ...checkVolumes('x', any), ...checkSharedBucket(any, any)];
        expect(findings.length).toBeGreaterThan(0);
      }),
    );
  });
});
