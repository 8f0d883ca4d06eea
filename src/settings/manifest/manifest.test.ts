import { expect, test } from 'vitest';
import { parseSettings, SettingsError } from '../index.ts';

const PLACEHOLDER = ['$', '{environment}'].join('');

function read(text: string, overlay?: string) {
  return parseSettings({ environment: {}, yaml: { path: 'bucketwright.yaml', text }, overlay });
}

function problems(text: string, overlay?: string): string[] {
  try {
    read(text, overlay);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems.map(({ origin, problem }) => `${origin} ${problem}`);
    throw error;
  }
  return [];
}

test('a bucket is a name or a map, and what is absent stays absent', () => {
  const { buckets } = read('buckets:\n  - plain-one\n  - name: acme-media\n    versioning: enabled\n').manifest;
  expect(buckets).toMatchObject([
    { name: 'plain-one', configuration: {}, origin: 'bucketwright.yaml:2:5' },
    { name: 'acme-media', configuration: { versioning: 'enabled' } },
  ]);
});

test('a whole bucket becomes the words of S3', () => {
  const [bucket] = read(`
buckets:
  - name: acme-media
    objectLock: { mode: compliance, years: 1 }
    encryption: AES256
    tags: { team: media, cost: 7 }
    cors:
      - { origins: ['https://a.example'], methods: [PUT, GET], maxAge: 1h, headers: [X-B, x-a] }
    publicAccessBlock: true
    lifecycle:
      - { id: a, prefix: tmp/, expireAfter: 2w, tags: { k: v }, largerThan: 1MiB }
      - { id: b, noncurrentAfter: 3d, noncurrentKeep: 2, abortUploadsAfter: 7, enabled: false }
    policy: { Version: '2012-10-17', Statement: [] }
`).manifest.buckets;
  expect(bucket?.configuration).toEqual({
    versioning: 'enabled',
    objectLock: { enabled: true, retention: { mode: 'compliance', years: 1 } },
    encryption: { algorithm: 'AES256' },
    tags: { team: 'media', cost: '7' },
    cors: [
      {
        origins: ['https://a.example'],
        methods: ['GET', 'PUT'],
        headers: ['x-a', 'x-b'],
        exposeHeaders: [],
        maxAgeSeconds: 3600,
      },
    ],
    publicAccessBlock: {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: true,
    },
    lifecycle: [
      { id: 'a', enabled: true, prefix: 'tmp/', tags: { k: 'v' }, largerThan: 1048576, expireDays: 14 },
      { id: 'b', enabled: false, prefix: '', tags: {}, noncurrentDays: 3, noncurrentKeep: 2, abortUploadsDays: 7 },
    ],
    policy: { Version: '2012-10-17', Statement: [] },
  });
});

test('every mistake is said at once, where it is written', () => {
  expect(
    problems(`
buckets:
  - name: Bad_Name
  - name: acme-media
    versionning: enabled
    lifecycle:
      - { id: a, expireAfter: 36h }
      - { id: b }
      - { id: c, expireAfter: 1d, expireDeleteMarkers: true }
  - name: acme-locked
    objectLock: { mode: forever, days: 1 }
  - acme-media-2
  - acme-media-2
  - 7
tenants:
  - { name: t }
`),
  ).toEqual([
    'bucketwright.yaml:3:11 must hold only lower-case letters, digits, dots and dashes',
    expect.stringMatching(/^bucketwright.yaml:7:31 must be whole days/),
    'bucketwright.yaml:8:9 does nothing: it needs expireAfter, noncurrentAfter, abortUploadsAfter or the like',
    expect.stringMatching(/^bucketwright.yaml:9:9 expireAfter, expireOn and expireDeleteMarkers exclude/),
    'bucketwright.yaml:5:18 unknown key versionning; did you mean versioning?',
    'bucketwright.yaml:11:25 must be governance or compliance',
    'bucketwright.yaml:13:5 is named twice',
    'bucketwright.yaml:14:5 must be 3 to 63 characters long',
    'bucketwright.yaml:16:5 needs a bucket of its own, or prefixes',
  ]);
});

test.each([
  ['the whole bucket of Loki', 'loki: { bucket: obs }', 'expireAfter: 90d', /hits more than chunks/],
  ["Loki's index", 'loki: { bucket: obs }', 'prefix: index/, expireAfter: 900d', /hits more than chunks/],
  [
    'chunks too early',
    'loki: { bucket: obs }\nretention: { logs: 40d }',
    'prefix: fake/, expireAfter: 40d',
    /chunks go while the index/,
  ],
  [
    "Tempo's blocks",
    'tempo: { bucket: obs }',
    'prefix: single-tenant/, expireAfter: 900d',
    /files of a block age apart/,
  ],
  ['the backup repository', 'backup: { bucket: obs, prefix: b }', 'prefix: b/data/, expireAfter: 30d', /backups share/],
  ['artifacts', 'artifacts: { bucket: obs }', 'expireOn: 2030-01-01', /versions share blobs/],
])('a rule on %s is refused', (_what, sections, rule, expected) => {
  const text = `${sections}\nbuckets:\n  - name: obs\n    lifecycle:\n      - { id: r, ${rule} }\n`;
  expect(problems(text)).toEqual([expect.stringMatching(expected)]);
});

test.each([
  ['late enough on chunks', 'loki: { bucket: obs }', 'prefix: fake/, expireAfter: 33d'],
  ['disabled', 'loki: { bucket: obs }', 'expireAfter: 1d, enabled: false'],
  ['beside', 'tempo: { bucket: obs, prefix: t }', 'prefix: other/, expireAfter: 1d'],
  ['of old versions', 'tempo: { bucket: obs }', 'noncurrentAfter: 1d'],
])('a rule %s is taken', (_what, sections, rule) => {
  expect(problems(`${sections}\nbuckets:\n  - name: obs\n    lifecycle:\n      - { id: r, ${rule} }\n`)).toEqual([]);
});

test('places that overlap are refused: features, tenants, and tenants within features', () => {
  expect(problems('loki: { bucket: obs, prefix: a }\nartifacts: { bucket: obs, prefix: a/b }\n')).toEqual([
    expect.stringMatching(/the bucket obs is shared/),
  ]);
  expect(
    problems(`
loki: { bucket: obs, prefix: logs }
tenants:
  - { name: one, prefixes: [{ bucket: shared, prefix: one }] }
  - { name: two, prefixes: [{ bucket: shared, prefix: one/deep }] }
  - { name: three, bucket: obs }
  - { name: four, prefixes: [{ bucket: shared, prefix: onetwo }] }
`),
  ).toEqual([
    expect.stringMatching(/:5:5 shared\/one\/deep\/ and shared\/one\/ of the tenant one overlap/),
    expect.stringMatching(/:6:5 obs\/ overlaps obs\/logs\/, where loki/),
  ]);
});

test('objects locked for longer than they may be kept are refused', () => {
  expect(
    problems('loki: { bucket: obs }\nbuckets:\n  - { name: obs, objectLock: { mode: governance, days: 90 } }\n'),
  ).toEqual([expect.stringMatching(/locks new objects for 90d, while retention.logs is 31d/)]);
});

const overlaid = `
retention: { logs: 31d }
loki: { bucket: 'acme-${PLACEHOLDER}-logs' }
buckets:
  - name: acme-${PLACEHOLDER}-media
    versioning: enabled
    tags: { team: media, tier: gold }
    lifecycle:
      - { id: old, noncurrentAfter: 30d }
      - { id: abort, abortUploadsAfter: 7d }
environments:
  production: {}
  staging:
    retention: { logs: 7d }
    buckets:
      - name: acme-${PLACEHOLDER}-media
        tags: { tier: tin }
        lifecycle: [{ id: old, noncurrentAfter: 3d }]
      - extra-for-staging
`;

test('an environment is laid over the rest, without a copy', () => {
  const staging = read(overlaid, 'staging');
  expect(staging.retention.logs).toBe(7 * 86_400_000);
  expect(staging.buckets.loki.bucket).toBe('acme-staging-logs');
  expect(staging.manifest.buckets.map(({ name }) => name)).toEqual(['acme-staging-media', 'extra-for-staging']);
  expect(staging.manifest.buckets[0]?.configuration).toMatchObject({
    versioning: 'enabled',
    tags: { team: 'media', tier: 'tin' },
    lifecycle: [
      { id: 'abort', abortUploadsDays: 7 },
      { id: 'old', noncurrentDays: 3 },
    ],
  });
  const production = read(overlaid, 'production');
  expect(production.retention.logs).toBe(31 * 86_400_000);
  expect(production.manifest.buckets.map(({ name }) => name)).toEqual(['acme-production-media']);
});

test('an environment that is missing, misspelt or needed is a problem', () => {
  expect(problems(overlaid, 'stagin')).toEqual(
    expect.arrayContaining([expect.stringMatching(/did you mean staging\?/)]),
  );
  expect(problems(overlaid)).toEqual(expect.arrayContaining([expect.stringMatching(/needs an environment/)]));
  expect(problems('{}', 'staging')).toEqual([expect.stringMatching(/has no environment staging; there is none/)]);
  const without = () => parseSettings({ environment: { BUCKETWRIGHT_ENVIRONMENT: 'staging' } });
  expect(without).toThrow(/needs a bucketwright.yaml/);
});
