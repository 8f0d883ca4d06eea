import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { freePorts } from '../support/ports.ts';
import { run } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const any = [0, 1, 2, 64, 69, 77, 78, 130, 143];
let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory('cli');
});
afterAll(() => directory.remove());

function cli(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = directory.path) {
  const environment = cleanEnvironment({ NO_COLOR: '1', ...env });
  return run(process.execPath, [commandLine, ...args], { cwd, env: environment, allow: any });
}

const remote = {
  S3_ENDPOINT: 'fsn1.your-objectstorage.com',
  S3_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  S3_SECRET_ACCESS_KEY: 'a-secret-that-must-not-appear',
};

describe('config show', () => {
  test('prints every effective value with its origin, and no secret', async () => {
    const { stdout, code } = await cli(['config', 'show', '--bucket-loki', 'acme-loki'], remote);
    expect(code).toBe(0);
    expect(stdout).toBe(`storage: s3 at https://fsn1.your-objectstorage.com

S3_ENDPOINT                           https://fsn1.your-objectstorage.com  environment S3_ENDPOINT
S3_REGION                             fsn1                                 provider hetzner
S3_ACCESS_KEY_ID                      set (from environment S3_ACCESS_KEY_ID)
S3_SECRET_ACCESS_KEY                  set (from environment S3_SECRET_ACCESS_KEY)
S3_FORCE_PATH_STYLE                   true                                 provider hetzner
S3_INSECURE                           false                                default
S3_PROVIDER                           hetzner                              provider hetzner
S3_OUTAGE_MODE                        fail-closed                          default
S3_BUCKET_LOKI                        acme-loki                            flag --bucket-loki
S3_PREFIX_LOKI                        -                                    unset
S3_BUCKET_TEMPO                       cloudlysis-tempo                     default
S3_PREFIX_TEMPO                       -                                    unset
S3_BUCKET_BACKUP                      cloudlysis-backup                    default
S3_PREFIX_BACKUP                      -                                    unset
BUCKETWRIGHT_BACKUP_PASSPHRASE        -                                    unset
BUCKETWRIGHT_BACKUP_KEY               -                                    unset
BUCKETWRIGHT_BACKUP_LOCK              -                                    unset
S3_BUCKET_ARTIFACTS                   cloudlysis-artifacts                 default
S3_PREFIX_ARTIFACTS                   -                                    unset
RETENTION_LOGS                        31d                                  default
RETENTION_TRACES                      14d                                  default
BUCKETWRIGHT_DATA                     ./data                               default
BUCKETWRIGHT_LISTEN                   127.0.0.1:9000                       default
BUCKETWRIGHT_ADMIN_LISTEN             127.0.0.1:9002                       default
BUCKETWRIGHT_BUCKETS                  -                                    unset
BUCKETWRIGHT_DURABILITY               strict                               default
BUCKETWRIGHT_ABANDONED_UPLOADS        7d                                   default
BUCKETWRIGHT_LIFECYCLE_DAY            1d                                   default
BUCKETWRIGHT_PROCESSES                1                                    default
BUCKETWRIGHT_MAX_REQUESTS             2048                                 default
BUCKETWRIGHT_MAX_REQUESTS_PER_CLIENT  1024                                 default
BUCKETWRIGHT_OBJECT_OWNERSHIP         BucketOwnerEnforced                  default
BUCKETWRIGHT_SERVER_KEY               -                                    unset
BUCKETWRIGHT_TLS_CERT                 -                                    unset
BUCKETWRIGHT_TLS_KEY                  -                                    unset
BUCKETWRIGHT_DOMAIN                   -                                    unset
`);
  });

  test('--json holds the same, and no secret', async () => {
    const { stdout } = await cli(['config', 'show', '--json'], remote);
    expect(JSON.parse(stdout)).toMatchObject({ storage: 's3', settings: expect.any(Array) });
    expect(stdout).not.toContain('must-not-appear');
  });

  test('no S3 setting at all means the filesystem, and says so', async () => {
    const { stdout } = await cli(['config', 'show']);
    expect(stdout).toContain('storage: filesystem: no S3 endpoint is set');
  });
});

describe('exit codes', () => {
  test.each([
    [['--version'], {}, 0, ''],
    [['verify', '--help'], {}, 0, ''],
    [['verify'], {}, 0, ''],
    [['provision'], {}, 0, 'no S3 endpoint is set'],
    [[], {}, 64, 'Usage:'],
    [['verfy'], {}, 64, 'Did you mean verify?'],
    [['verify', '--nope'], {}, 64, '--nope'],
    [['provision', '--wait', 'long'], {}, 64, '--wait'],
    [['verify', '--config', 'missing.yaml'], {}, 64, 'missing.yaml'],
    [['verify'], { ...remote, S3_ENDPOINT: 'http://s3.example.com' }, 78, 'S3_INSECURE'],
    [['verify'], { S3_ENDPOINT: 'x' }, 78, 'S3_SECRET_ACCESS_KEY'],
    [['verify'], { ...remote, S3_PROVIDER: 'hetzer' }, 78, 'did you mean hetzner?'],
    [['doctor'], { S3_ENDPOINT: 'x' }, 78, 'failed'],
  ])('%j with %j ends with %i', async (args, env, code, said) => {
    const answer = await cli(args, env);
    expect(answer.code, answer.stderr).toBe(code);
    expect(answer.stderr).toContain(said);
    expect(answer.stdout + answer.stderr).not.toContain('must-not-appear');
  });

  test('an endpoint where nobody listens ends with 69', async () => {
    const [port = 0] = await freePorts(1);
    const env = { ...remote, S3_ENDPOINT: `http://127.0.0.1:${port}`, S3_INSECURE: 'true' };
    expect((await cli(['verify'], env)).code).toBe(69);
    const provision = await cli(['provision', '--wait', '1s'], env);
    expect([provision.code, provision.stderr.trim().split('\n').length]).toEqual([69, 2]);
  });

  test('a bucketwright.yaml of the working directory is read, its problems with their position', async () => {
    const cwd = join(directory.path, 'yaml');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'bucketwright.yaml'), 's3:\n  endpiont: x\n');
    const answer = await cli(['config', 'show'], {}, cwd);
    expect(answer.code).toBe(78);
    expect(answer.stderr).toContain('s3.endpiont (bucketwright.yaml:2:3): unknown key; did you mean endpoint?');
  });
});

describe('against the embedded server', () => {
  let server: TestServer;
  let env: Record<string, string>;
  beforeAll(async () => {
    server = await startServer();
    env = {
      S3_ENDPOINT: server.url,
      S3_INSECURE: 'true',
      S3_ACCESS_KEY_ID: server.accessKeyId,
      S3_SECRET_ACCESS_KEY: server.secretAccessKey,
      S3_BUCKET_LOKI: 'shared-telemetry',
      S3_BUCKET_TEMPO: 'shared-telemetry',
    };
  });
  afterAll(() => server.stop());

  test('verify finds missing buckets, provision creates them, verify then holds and leaves nothing', async () => {
    const before = await cli(['verify'], env);
    expect([before.code, before.stdout]).toEqual([2, expect.stringContaining('no-such-bucket')]);
    expect((await cli(['provision'], env)).stdout).toBe('created  shared-telemetry\n');
    expect((await cli(['provision'], env)).stdout).toBe('exists   shared-telemetry\n');
    const after = await cli(['verify', '--json'], env);
    expect(after.code, after.stdout).toBe(0);
    const { ok, findings } = JSON.parse(after.stdout);
    expect(ok).toBe(true);
    const done = findings.map(({ id, subject, status }: Record<string, string>) => `${status} ${id} ${subject}`);
    for (const step of ['write', 'read', 'list', 'range', 'delete']) {
      expect(done).toContain(`ok canary-${step} shared-telemetry/loki/`);
      expect(done).toContain(`ok canary-${step} shared-telemetry/tempo/`);
    }
    expect(done).toContain('ok multipart shared-telemetry/loki/');
    const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/objects\{bucket="shared-telemetry"\} 0/);
  });

  test('a wrong secret ends with 77 and is not repeated', async () => {
    const answer = await cli(['verify'], { ...env, S3_SECRET_ACCESS_KEY: 'wrong-and-must-not-appear' });
    expect(answer.code).toBe(77);
    expect(answer.stdout).toContain('bad-credentials');
    expect(answer.stdout + answer.stderr).not.toContain('must-not-appear');
  });

  test('https towards a server without TLS is said as such', async () => {
    const answer = await cli(['verify'], { ...env, S3_ENDPOINT: server.url.replace('http:', 'https:') });
    expect(answer.code).toBe(69);
    expect(answer.stdout).toContain('seems to speak plain HTTP');
  });
});
