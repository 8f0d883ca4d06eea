import { expect, test } from 'vitest';
import { parseSettings, SettingsError } from '../../settings/index.ts';
import { type MinioPlan, planMinio } from './plan.ts';

function plan(
  args: readonly string[],
  environment: Record<string, string> = {},
  there: readonly string[] = [],
): MinioPlan {
  return planMinio({
    args,
    environment,
    exists: (path) => there.includes(path),
    parse: (flags, translated) => parseSettings({ flags, environment: translated, role: 'server' }),
  });
}

function problemsOf(args: readonly string[], environment: Record<string, string>) {
  try {
    plan(args, environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  throw new Error('nothing was refused');
}

const root = { MINIO_ROOT_USER: 'someone', MINIO_ROOT_PASSWORD: 'long-enough' };

test("MinIO's arguments mean all interfaces, its root user the key, no region any region", () => {
  const { settings, console, anyRegion } = plan(['/data', '--console-address', ':9001'], root);
  expect(settings.server).toMatchObject({ data: '/data', listen: { host: '0.0.0.0', port: 9000 } });
  expect(settings.server.adminListen.host).toBe('127.0.0.1');
  expect(settings.server.credentials?.accessKeyId.reveal()).toBe('someone');
  expect(settings.server.credentials?.secretAccessKey.reveal()).toBe('long-enough');
  expect([console, anyRegion]).toEqual([{ host: '0.0.0.0', port: 9001 }, true]);
});

test('nothing listens for a console that was not asked for or is switched off', () => {
  expect(plan(['/data']).console).toBeUndefined();
  expect(plan(['/data', '--console-address', ':9001'], { MINIO_BROWSER: 'off' }).console).toBeUndefined();
});

test.each([
  ['MINIO_REGION', 'eu-1'],
  ['MINIO_SITE_REGION', 'eu-1'],
  ['S3_REGION', 'eu-1'],
])('%s is the only region', (name, region) => {
  const { settings, anyRegion } = plan(['/data'], { [name]: region });
  expect([settings.server.region, anyRegion]).toEqual([region, false]);
});

test("a client's keys in the common environment are never mixed with the root user's", () => {
  const client = { S3_ACCESS_KEY_ID: 'client', S3_SECRET_ACCESS_KEY: 'client-secret' };
  expect(plan(['/data'], { ...client, ...root }).settings.server.credentials?.accessKeyId.reveal()).toBe('someone');
  expect(plan(['/data'], client).settings.server.credentials?.accessKeyId.reveal()).toBe('client');
  const half = problemsOf(['/data'], { ...client, MINIO_ROOT_USER: 'someone' });
  expect(half.map(({ name }) => name)).toEqual(['MINIO_ROOT_PASSWORD']);
});

test('without keys some are made, and minioadmin is not among them', () => {
  const { settings, warnings } = plan(['/data']);
  expect(settings.server.credentials).toBeUndefined();
  expect(warnings.join()).toContain('s3.env');
});

test('where the data is: argument, MINIO_VOLUMES, MINIO_DATA_DIR, the volume of Bitnami, our own', () => {
  const bitnami = '/bitnami/minio/data';
  const own = { BUCKETWRIGHT_DATA: '/own' };
  const data = (...given: Parameters<typeof plan>) => plan(...given).settings.server.data;
  expect(data(['/a'], { ...own, MINIO_VOLUMES: '/v' }, [bitnami])).toBe('/a');
  expect(data([], { ...own, MINIO_VOLUMES: '/v' }, [bitnami])).toBe('/v');
  expect(data([], { ...own, MINIO_DATA_DIR: '/d' }, [bitnami])).toBe('/d');
  expect(data([], own, [bitnami])).toBe(bitnami);
  expect(data([], own)).toBe('/own');
  expect(problemsOf([], {}).map(({ problem }) => problem)).toEqual(['is missing']);
});

test('all that is unsupported is named at once, and no secret with it', () => {
  const environment = {
    MINIO_ROOT_USER: 'someone',
    MINIO_ROOT_PASSWORD: 'to short',
    MINIO_IDENTITY_OPENID_CONFIG_URL: 'x',
    MINIO_KMS_SECRET_KEY: 'kms-secret',
    MINIO_NOTIFY_WEBHOOK_ENABLE: 'on',
    MINIO_STORAGE_CLASS_STANDARD: 'EC:2',
    MINIO_SCHEME: 'https',
    MINIO_DEFAULT_BUCKETS: 'photos:public',
  };
  const problems = problemsOf(['/a', '/b', '--certs-dir', '/certs'], environment);
  const names = problems.map(({ name }) => name);
  for (const name of ['--certs-dir', 'the data directory', ...Object.keys(environment).slice(1)])
    expect(names).toContain(name);
  expect(JSON.stringify(problems)).not.toMatch(/to short|kms-secret/);
});

test('what is switched off asks for nothing; what is harmless or unknown is said and ignored', () => {
  const { warnings } = plan(['/data', '--quiet'], {
    ...root,
    MINIO_NOTIFY_WEBHOOK_ENABLE: 'off',
    MINIO_PROMETHEUS_AUTH_TYPE: 'public',
    MINIO_ENDPOINT: 'minio:9000',
  });
  expect(warnings).toEqual([
    'set, and without effect here: --quiet, MINIO_PROMETHEUS_AUTH_TYPE',
    'not known to this server, ignored: MINIO_ENDPOINT',
  ]);
});

test('buckets come from both variables', () => {
  const environment = { BUCKETWRIGHT_BUCKETS: 'photos backups', MINIO_DEFAULT_BUCKETS: 'photos:none;logs,' };
  const { buckets, settings } = plan(['/data'], environment);
  expect(buckets).toEqual(['photos', 'logs']);
  expect(settings.server.buckets).toEqual(['photos', 'backups']);
});
