/** `bucketwright tenant` beside a running server: what each command says, hands out and leaves. */
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClientError, createClient, type ObjectClient } from '../../src/client/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { readEnvFile, startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

let server: TestServer;
let directory: TemporaryDirectory;
beforeAll(async () => {
  server = await startServer({ args: ['--processes', '2'] });
  directory = await temporaryDirectory('tenants');
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await directory?.remove();
});

const environment = (more: Readonly<Record<string, string>> = {}) =>
  cleanEnvironment({
    NO_COLOR: '1',
    S3_ENDPOINT: server.url,
    S3_INSECURE: 'true',
    S3_PROVIDER: 'embedded',
    S3_ACCESS_KEY_ID: server.accessKeyId,
    S3_SECRET_ACCESS_KEY: server.secretAccessKey,
    BUCKETWRIGHT_DATA: server.data,
    ...more,
  });

async function tenant(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const result = await run(process.execPath, [commandLine, 'tenant', ...args], {
    cwd: directory.path,
    env: environment(more),
    allow: [0, 1, 2, 64, 78],
    timeoutMs: 120_000,
  });
  expect(result.stdout + result.stderr).not.toContain(server.secretAccessKey);
  return result;
}

const file = (...names: readonly string[]) => join(directory.path, ...names);
const manifest = () => readFile(file('bucketwright.yaml'), 'utf8');

async function withKeys<T>(path: string, use: (client: ObjectClient) => Promise<T>): Promise<T> {
  const keys = await readEnvFile(path);
  const client = createClient(
    connectionTo(
      { ...server, accessKeyId: keys.S3_ACCESS_KEY_ID ?? '', secretAccessKey: keys.S3_SECRET_ACCESS_KEY ?? '' },
      'embedded',
    ),
    { attempts: 1 },
  );
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** What a PUT by these keys comes to: `ok`, or S3's code. */
const put = (path: string, bucket: string, key: string, bytes: string | Buffer = 'x') =>
  withKeys(path, async (client) => {
    try {
      await client.put({ bucket, key, body: { bytes } });
      return 'ok';
    } catch (error) {
      return error instanceof ClientError ? (error.s3Code ?? error.code) : 'unknown';
    }
  });

test('nobody is asked where there is no terminal: the plan, exit code 2, and nothing is changed', async () => {
  const { code, stdout, stderr } = await tenant(['add', 'acme', '--prefix', 'shared/acme']);
  expect(code).toBe(2);
  expect(stdout).toContain('+ user "acme" with a key and this policy');
  expect(stderr).toContain('nothing was changed; add --yes');
  await expect(manifest()).rejects.toThrow('ENOENT');
  expect((await run(process.execPath, [commandLine, 'user', 'list'], { env: environment() })).stdout).not.toContain(
    'acme',
  );
});

test('a life: added, rotated with an overlap, suspended, resumed, audited, removed; its objects stay', async () => {
  const added = await tenant(['add', 'acme', '--prefix', 'shared/acme', '--keys', 'keys', '--yes']);
  expect(added.code).toBe(0);
  const first = file('keys', 'acme.env');
  const { S3_SECRET_ACCESS_KEY: secret = '', S3_ACCESS_KEY_ID: id = '' } = await readEnvFile(first);
  expect(secret.length).toBeGreaterThanOrEqual(40);
  expect((await stat(first)).mode & 0o777).toBe(0o600);
  expect((await stat(file('keys'))).mode & 0o777).toBe(0o700);
  expect(await manifest()).toContain('name: acme');
  expect(await put(first, 'shared', 'acme/a')).toBe('ok');
  expect(await put(first, 'shared', 'other/a')).toBe('AccessDenied');
  // Whatever is asked later, the secret is not told again.
  for (const args of [
    ['list'],
    ['credentials', 'acme'],
    ['plan'],
    ['list', '--json'],
    ['credentials', 'acme', '--json'],
  ]) {
    const { stdout, stderr } = await tenant(args);
    expect(stdout + stderr).not.toContain(secret);
    expect(`${args} ${stdout}`).toMatch(args[0] === 'plan' ? /No changes/ : new RegExp(id));
  }
  // A key that nobody could take is not made.
  expect(await tenant(['rotate', 'acme', '--out', 'keys/acme.env'])).toMatchObject({ code: 64 });

  const rotated = await tenant(['rotate', 'acme', '--overlap', '1h', '--out', 'acme-2.env']);
  expect(rotated.stderr).toContain(`${id} works until`);
  expect(await put(first, 'shared', 'acme/b')).toBe('ok');
  expect(await put(file('acme-2.env'), 'shared', 'acme/c')).toBe('ok');
  const ended = await tenant(['rotate', 'acme', '--overlap', '0s', '--out', 'acme-3.env']);
  expect(ended.stderr).toContain('no longer works');
  for (const old of [first, file('acme-2.env')]) expect(await put(old, 'shared', 'acme/d')).toBe('InvalidAccessKeyId');

  expect(await tenant(['suspend', 'acme', '--yes'])).toMatchObject({ code: 0 });
  expect(await put(file('acme-3.env'), 'shared', 'acme/e')).toBe('InvalidAccessKeyId');
  expect((await tenant(['list'])).stdout).toContain('SUSPENDED');
  expect(await tenant(['resume', 'acme', '--yes'])).toMatchObject({ code: 0 });
  expect(await put(file('acme-3.env'), 'shared', 'acme/e')).toBe('ok');

  await tenant(['add', 'beta', '--bucket', 'beta-files', '--keys', 'keys', '--yes']);
  await writeFile(first, await readFile(file('acme-3.env')));
  const audit = await tenant(['audit', '--keys', 'keys']);
  expect(audit.stderr + audit.stdout).toMatch(/\d{3,} attacks; \d+ checks: \d+ ok/);
  expect(audit.code).toBe(0);

  expect(await tenant(['remove', 'acme', '--yes'])).toMatchObject({ code: 0 });
  expect(await put(first, 'shared', 'acme/f')).toBe('InvalidAccessKeyId');
  const objects = createClient(connectionTo(server, 'embedded'));
  expect((await objects.head({ bucket: 'shared', key: 'acme/a' })).size).toBe(1);
  objects.close();
  expect(await manifest()).not.toContain('name: acme');
}, 240_000);

test('an audit fails with 2 when somebody widened a policy by hand', async () => {
  await tenant(['add', 'gamma', '--prefix', 'apart/gamma', '--keys', 'keys', '--yes']);
  await tenant(['add', 'delta', '--prefix', 'apart/delta', '--keys', 'keys', '--yes']);
  const all = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] };
  await writeFile(file('all.json'), JSON.stringify(all));
  await run(process.execPath, [commandLine, 'user', 'policy', 'gamma', '--set', 'more=all.json'], {
    cwd: directory.path,
    env: environment(),
  });
  expect((await tenant(['plan'])).stdout).toContain('gamma has other policies beside');
  const { code, stdout } = await tenant(['audit', '--keys', 'keys', '--json']);
  expect(code).toBe(2);
  const report: { ok: boolean; findings: readonly { id: string; subject: string; status: string }[] } =
    JSON.parse(stdout);
  expect(report.ok).toBe(false);
  const leaks = report.findings.filter(({ id }) => id === 'tenant-leak').map(({ subject }) => subject);
  expect(new Set(leaks)).toEqual(new Set(['gamma > apart/delta/', 'gamma > beta-files']));
}, 240_000);

test('a Swarm secret gets the key by standard input, and by nothing that others see', async () => {
  // In Docker's place: what it was called with, and what it read.
  await mkdir(file('bin'));
  await writeFile(file('bin', 'docker'), `#!/bin/sh\necho "$@" > "${file('called')}"\ncat > "${file('read')}"\n`);
  await chmod(file('bin', 'docker'), 0o755);
  const PATH = `${file('bin')}:${process.env.PATH}`;
  const { code, stdout, stderr } = await tenant(
    ['add', 'swarmed', '--bucket', 'swarmed', '--swarm-secret', 'swarmed-key', '--yes'],
    { PATH },
  );
  expect(code).toBe(0);
  expect(await readFile(file('called'), 'utf8')).toBe('secret create swarmed-key -\n');
  const { S3_SECRET_ACCESS_KEY: secret = '' } = await readEnvFile(file('read'));
  expect(secret.length).toBeGreaterThanOrEqual(40);
  expect(stdout + stderr).not.toContain(secret);
  expect(await put(file('read'), 'swarmed', 'a')).toBe('ok');
}, 60_000);

test('a quota holds for objects and for parts of uploads; deleting makes room; what cannot be counted is refused', async () => {
  const added = await tenant(['add', 'small', '--bucket', 'small', '--quota', '1MiB', '--keys', 'keys', '--yes']);
  expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining('and a quota: 1 MiB in small') });
  expect((await tenant(['list'])).stdout).toContain('small  small  at most 1 MiB');
  expect((await tenant(['plan'])).stdout).toContain('No changes');
  const keys = file('keys', 'small.env');
  const bytes = Buffer.alloc(700 * 1024);
  expect(await put(keys, 'small', 'a', bytes)).toBe('ok');
  expect(await put(keys, 'small', 'b', bytes)).toBe('QuotaExceeded');
  expect(await put(keys, 'small', 'b', bytes.subarray(0, 1000))).toBe('ok');
  await withKeys(keys, async (client) => {
    const uploadId = await client.createUpload({ bucket: 'small', key: 'u' });
    const part = (number: number, size: number) =>
      client.uploadPart({ bucket: 'small', key: 'u', uploadId, number, bytes: bytes.subarray(0, size) });
    await part(1, 200 * 1024);
    await expect(part(2, 200 * 1024)).rejects.toMatchObject({ s3Code: 'QuotaExceeded' });
    await client.delete({ bucket: 'small', key: 'a' });
    await part(2, 200 * 1024);
  });
  // Nobody else's writes are counted against it, and the administrator's are not refused.
  const objects = createClient(connectionTo(server, 'embedded'));
  await objects.put({ bucket: 'small', key: 'by-admin', body: { bytes } });
  objects.close();
  await writeFile(file('bucketwright.yaml'), (await manifest()).replace('quota: 1MiB', 'quota: 4MiB'));
  expect((await tenant(['plan'])).stdout).toContain('may keep 4 MiB in small');
  expect(await tenant(['apply', '--yes'])).toMatchObject({ code: 0 });
  expect(await put(keys, 'small', 'b', bytes)).toBe('ok');
  const prefix = await tenant(['add', 'part', '--prefix', 'shared/part', '--quota', '1MiB', '--yes']);
  expect(prefix.code).not.toBe(0);
  expect(prefix.stdout + prefix.stderr).toContain('a quota is counted by bucket');
}, 120_000);
