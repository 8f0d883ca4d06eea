import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { declarations } from './declarations.ts';
import { type SettingProblem, SettingsError } from './errors.ts';
import { formatOrigin } from './origin.ts';
import { parseSettings, type SettingsInput } from './parse.ts';

const directory = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(directory, { recursive: true }));

const s3 = {
  S3_ENDPOINT: 'fsn1.your-objectstorage.com',
  S3_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  S3_SECRET_ACCESS_KEY: 'correct-horse-battery',
};

function problemsOf(input: SettingsInput): readonly SettingProblem[] {
  try {
    parseSettings(input);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

function storageOf(environment: Record<string, string>) {
  const { storage } = parseSettings({ environment });
  if (storage.kind !== 's3') throw new Error('expected S3');
  return storage;
}

function shownValue(input: SettingsInput, name: string) {
  const found = parseSettings(input).effective.find((value) => value.name === name);
  return found === undefined ? undefined : `${found.value} from ${formatOrigin(found.origin)}`;
}

describe('storage', () => {
  test('no S3 setting at all means the filesystem, and says so', () => {
    expect(parseSettings({ environment: {} }).storage).toEqual({
      kind: 'filesystem',
      notice: 'no S3 endpoint is set: objects stay on the local filesystem',
    });
  });

  test('a bucket name alone does not mean S3, and is said to have no effect', () => {
    const { storage } = parseSettings({ environment: { S3_BUCKET_LOKI: 'acme-loki' } });
    expect(storage.kind === 'filesystem' && storage.notice).toContain('S3_BUCKET_LOKI has no effect');
  });

  test('https is assumed', () => {
    expect(storageOf(s3).endpoint.url).toBe('https://fsn1.your-objectstorage.com');
  });

  test('a partial surface names everything that is missing', () => {
    expect(problemsOf({ environment: { S3_ENDPOINT: s3.S3_ENDPOINT } }).map(({ name }) => name)).toEqual([
      'S3_ACCESS_KEY_ID',
      'S3_SECRET_ACCESS_KEY',
    ]);
    expect(problemsOf({ environment: { S3_REGION: 'fsn1' } }).map(({ name }) => name)).toEqual([
      'S3_ENDPOINT',
      'S3_ACCESS_KEY_ID',
      'S3_SECRET_ACCESS_KEY',
    ]);
  });

  test('the embedded server needs no endpoint, but a whole key pair', () => {
    expect(problemsOf({ environment: { S3_REGION: 'fsn1' }, role: 'server' })).toEqual([]);
    expect(problemsOf({ environment: { S3_ACCESS_KEY_ID: 'abc' }, role: 'server' })).toMatchObject([
      { name: 'S3_SECRET_ACCESS_KEY' },
    ]);
  });

  test.each([
    ['http://fsn1.your-objectstorage.com', undefined, 'S3_ENDPOINT', 'needs S3_INSECURE'],
    ['http://minio:9000', undefined, 'S3_ENDPOINT', 'needs S3_INSECURE'],
    ['http://s3.example.com', 'true', 'S3_INSECURE', 'refused towards s3.example.com'],
    ['https://s3.example.com', 'true', 'S3_INSECURE', 'refused'],
    ['http://8.8.8.8:9000', 'true', 'S3_INSECURE', 'refused'],
    ['http://134744072', 'true', 'S3_INSECURE', 'refused towards 8.8.8.8'],
    ['http://[2001:db8::1]', 'true', 'S3_INSECURE', 'refused'],
    ['http://[::ffff:8.8.8.8]', 'true', 'S3_INSECURE', 'refused'],
    ['http://localhost.example.com', 'true', 'S3_INSECURE', 'refused'],
    ['https://host/bucket', undefined, 'S3_ENDPOINT', 'path'],
    ['https://host//', undefined, 'S3_ENDPOINT', 'path'],
    ['https://user:password@host', undefined, 'S3_ENDPOINT', 'user name'],
    ['https://host?x=y', undefined, 'S3_ENDPOINT', 'query'],
    ['ftp://host', undefined, 'S3_ENDPOINT', 'https://'],
    ['https://host:99999', undefined, 'S3_ENDPOINT', 'host name'],
    ['https://', undefined, 'S3_ENDPOINT', 'host name'],
  ])('endpoint %s with S3_INSECURE=%s is a problem', (endpoint, insecure, name, text) => {
    const found = problemsOf({ environment: { ...s3, S3_ENDPOINT: endpoint, S3_INSECURE: insecure } });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ name, problem: expect.stringContaining(text) });
  });

  test.each([
    'http://minio:9000',
    'http://localhost:9000/',
    'http://s3.localhost',
    'http://127.9.9.9',
    'http://[::1]:9000',
    'http://10.1.2.3',
    'http://172.31.0.1',
    'http://192.168.0.10',
    'http://[fd00::1]',
  ])('plain http to %s is allowed when asked for', (endpoint) => {
    expect(storageOf({ ...s3, S3_ENDPOINT: endpoint, S3_INSECURE: 'true' }).endpoint.scheme).toBe('http');
  });
});

describe('buckets and prefixes', () => {
  test('defaults', () => {
    const { buckets } = parseSettings({ environment: {} });
    expect(buckets.loki).toEqual({ bucket: 'cloudlysis-loki', prefix: '', prefixName: '', explicit: false });
    expect(buckets.artifacts.bucket).toBe('cloudlysis-artifacts');
  });

  test('a shared bucket gets distinct prefixes by default', () => {
    const input = { environment: { S3_BUCKET_LOKI: 'acme-logs', S3_BUCKET_TEMPO: 'acme-logs' } };
    const { buckets } = parseSettings(input);
    expect([buckets.loki.prefix, buckets.tempo.prefix, buckets.backup.prefix]).toEqual(['loki/', 'tempo/', '']);
    expect(shownValue(input, 'S3_PREFIX_LOKI')).toBe('loki/ from default');
  });

  test.each([
    ['a', 'a'],
    ['a', 'a/b'],
    ['/x/', 'x'],
    ['tempo', ''],
  ])('a shared bucket with prefixes %s and %s is a problem', (loki, tempo) => {
    const shared = { S3_BUCKET_LOKI: 'acme-logs', S3_BUCKET_TEMPO: 'acme-logs' };
    const found = problemsOf({ environment: { ...shared, S3_PREFIX_LOKI: loki, S3_PREFIX_TEMPO: tempo } });
    expect(found).toMatchObject([{ name: 'S3_PREFIX_TEMPO', problem: expect.stringContaining('acme-logs') }]);
  });

  test("Loki's prefix holds only what Loki accepts; slashes at the ends are ours", () => {
    expect(problemsOf({ environment: { S3_PREFIX_LOKI: 'a/b' } })).toMatchObject([{ name: 'S3_PREFIX_LOKI' }]);
    expect(problemsOf({ environment: { S3_PREFIX_LOKI: 'a_b' } })).toMatchObject([{ name: 'S3_PREFIX_LOKI' }]);
    expect(parseSettings({ environment: { S3_PREFIX_LOKI: '/a-b/' } }).buckets.loki.prefix).toBe('a-b/');
    expect(parseSettings({ environment: { S3_PREFIX_TEMPO: 'x/y' } }).buckets.tempo.prefix).toBe('x/y/');
  });

  test.each(['ab', 'Abc', 'a_b', '192.168.0.1', 'a..b', '-abc', 'a'.repeat(64)])(
    'bucket name %s is a problem',
    (name) => {
      expect(problemsOf({ environment: { S3_BUCKET_LOKI: name } })).toMatchObject([{ name: 'S3_BUCKET_LOKI' }]);
    },
  );
});

describe('sources', () => {
  const sources = ['flag', 'environment', 'file', 'yaml'] as const;

  test('flags beat environment, that beats NAME_FILE, that beats bucketwright.yaml, that beats the default', () => {
    const path = join(directory, 'region');
    writeFileSync(path, 'from-file\n');
    fc.assert(
      fc.property(fc.subarray([...sources]), fc.boolean(), (given, empty) => {
        // The one combination that is an error has a test of its own.
        if (given.includes('environment') && given.includes('file')) return;
        const unset = empty ? '' : undefined;
        const settings = parseSettings({
          role: 'server',
          flags: new Map(given.includes('flag') ? [['region', 'from-flag']] : []),
          environment: {
            S3_REGION: given.includes('environment') ? 'from-environment' : unset,
            S3_REGION_FILE: given.includes('file') ? path : unset,
          },
          yaml: { path: 'b.yaml', text: given.includes('yaml') ? 's3: { region: from-yaml }' : '' },
        });
        const winner = sources.find((source) => given.includes(source));
        expect(settings.server.region).toBe(winner === undefined ? undefined : `from-${winner}`);
        const origin = settings.effective.find(({ name }) => name === 'S3_REGION')?.origin.kind;
        expect(origin).toBe(winner ?? 'unset');
      }),
    );
  });

  test('NAME and NAME_FILE together are a problem', () => {
    const found = problemsOf({ environment: { ...s3, S3_SECRET_ACCESS_KEY_FILE: '/run/secrets/x' } });
    expect(found).toMatchObject([{ name: 'S3_SECRET_ACCESS_KEY', problem: expect.stringContaining('both set') }]);
  });

  test('a NAME_FILE that is missing or empty is a problem that names the path', () => {
    const empty = join(directory, 'empty');
    writeFileSync(empty, '\n');
    for (const [path, text] of [
      [join(directory, 'nowhere'), 'does not exist'],
      [directory, 'directory'],
      [empty, 'empty'],
    ] as const) {
      const found = problemsOf({ environment: { ...s3, S3_SECRET_ACCESS_KEY: '', S3_SECRET_ACCESS_KEY_FILE: path } });
      expect(found[0]).toMatchObject({ problem: expect.stringContaining(text), origin: expect.stringContaining(path) });
    }
  });

  test('all problems come at once', () => {
    const found = problemsOf({
      environment: { S3_ENDPOINT: 'ftp://x', S3_BUCKET_LOKI: 'X', RETENTION_LOGS: 'soon', BUCKETWRIGHT_LISTEN: '9000' },
      yaml: { path: 'b.yaml', text: 's3: { regoin: x }\nbuckets: [A]' },
    });
    expect(found.map(({ name }) => name).sort()).toEqual([
      'BUCKETWRIGHT_LISTEN',
      'RETENTION_LOGS',
      'S3_ACCESS_KEY_ID',
      'S3_BUCKET_LOKI',
      'S3_ENDPOINT',
      'S3_SECRET_ACCESS_KEY',
      'buckets[0]',
      's3.regoin',
    ]);
    expect(found.every(({ origin, problem }) => origin !== '' && problem !== '')).toBe(true);
  });
});

describe('bucketwright.yaml', () => {
  const yaml = (text: string): SettingsInput => ({ environment: {}, yaml: { path: 'b.yaml', text } });

  test('holds the same settings by readable keys', () => {
    const settings = parseSettings(
      yaml(
        's3:\n  endpoint: http://minio:9000\n  insecure: true\n  accessKeyId: abc\n  secretAccessKey: "12345678"\n' +
          'loki: { bucket: acme-loki }\nretention: { logs: 7d }\nbuckets:\n  - acme-media\n',
      ),
    );
    expect(settings).toMatchObject({
      storage: { kind: 's3', insecure: true },
      buckets: { loki: { bucket: 'acme-loki', explicit: true } },
      manifest: { buckets: [{ name: 'acme-media' }] },
      retention: { logs: 7 * 86_400_000 },
    });
    expect(settings.effective.find(({ name }) => name === 'S3_INSECURE')?.origin).toEqual({
      kind: 'yaml',
      path: 'b.yaml',
      line: 3,
      column: 13,
    });
  });

  test('secrets may be files beside it', () => {
    writeFileSync(join(directory, 'key'), 'file-secret-key\n');
    const text = 's3: { endpoint: minio, accessKeyId: abc, secretAccessKeyFile: key }';
    const { storage } = parseSettings({ environment: {}, yaml: { path: join(directory, 'b.yaml'), text } });
    expect(storage.kind === 's3' && storage.credentials.secretAccessKey.reveal()).toBe('file-secret-key');
  });

  test.each([
    ['s3:\n  endpiont: x', 's3.endpiont', 'b.yaml:2:3', 'did you mean endpoint?'],
    ['bucket: [x]', 'bucket', 'b.yaml:1:1', 'did you mean buckets?'],
    ['s3: x', 's3', 'b.yaml:1:1', 'must be a map'],
    ['s3: { region: [x] }', 's3.region', 'b.yaml:1:7', 'single value'],
    ['buckets: x', 'buckets', 'b.yaml:1:1', 'list'],
    ['buckets: [abc, abc]', 'buckets[1]', 'b.yaml:1:16', 'twice'],
    ['- x', 'bucketwright.yaml', 'b.yaml:1:1', 'map'],
    ['s3: {region: a, region: b}', 'bucketwright.yaml', 'b.yaml:1:17', 'duplicate key'],
  ])('%s is a problem with its position', (text, name, origin, said) => {
    expect(problemsOf(yaml(text))).toMatchObject([{ name, origin, problem: expect.stringContaining(said) }]);
  });

  test('any text at all is settings or problems, never another error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => problemsOf(yaml(text)).length >= 0),
      { numRuns: 300 },
    );
    const tree = fc.letrec((tie) => ({
      node: fc.oneof({ maxDepth: 3 }, fc.string(), fc.integer(), fc.constant(null), fc.array(tie('node')), tie('map')),
      map: fc.dictionary(fc.constantFrom('s3', 'buckets', 'loki', 'endpoint', 'region', 'x'), tie('node')),
    }));
    fc.assert(
      fc.property(tree.map, (value) => problemsOf(yaml(JSON.stringify(value))).length >= 0),
      { numRuns: 300 },
    );
  });
});

test('secrets are in no output, well-formed or not', () => {
  const secret = fc.string({ minLength: 8, maxLength: 40, unit: 'binary-ascii' }).filter((s) => s.trim().length >= 8);
  const name = fc.constantFrom(...declarations.map(({ env }) => env));
  fc.assert(
    fc.property(secret, secret, name, fc.boolean(), (raw, id, misplaced, broken) => {
      const value = `${raw.trim()}~Zq`;
      const environment = {
        ...s3,
        S3_ACCESS_KEY_ID: `${id.trim()}~Zi`,
        S3_SECRET_ACCESS_KEY: value,
        ...(misplaced.includes('KEY') || !broken ? {} : { [misplaced]: `${value} ${value}` }),
      };
      let output: string;
      try {
        const settings = parseSettings({ environment });
        // What a person put into a setting that is no secret is shown; that is no leak of the secret setting.
        if (broken) return;
        output = [inspect(settings, { depth: 9, showHidden: true }), JSON.stringify(settings), `${settings}`].join();
      } catch (error) {
        if (!(error instanceof SettingsError)) throw error;
        output = [inspect(error, { depth: 9 }), JSON.stringify(error), error.message, error.stack].join();
      }
      expect(output).not.toContain('~Z');
    }),
    { numRuns: 500 },
  );
});

test('a TLS certificate and its key come together or not at all', () => {
  const parse = (environment: Record<string, string>) =>
    parseSettings({ flags: new Map(), environment, yaml: undefined, role: 'server' });
  expect(parse({ BUCKETWRIGHT_TLS_CERT: 'c.pem', BUCKETWRIGHT_TLS_KEY: 'k.pem' }).server.tls).toEqual({
    certificate: 'c.pem',
    key: 'k.pem',
  });
  expect(parse({}).server.tls).toBeUndefined();
  expect(() => parse({ BUCKETWRIGHT_TLS_CERT: 'c.pem' })).toThrow(/BUCKETWRIGHT_TLS_KEY.*set both or neither/);
  expect(() => parse({ BUCKETWRIGHT_TLS_KEY: 'k.pem' })).toThrow(/BUCKETWRIGHT_TLS_CERT.*set both or neither/);
});
