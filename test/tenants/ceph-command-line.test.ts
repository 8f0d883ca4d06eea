/** `bucketwright tenant` where keys are made by hand and bucket policies name them: a life on a real Ceph. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClientError, createClient } from '../../src/client/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { type RgwEndpoint, rgwMissing, startRgw } from '../support/rgw.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const missing = rgwMissing();
const principal = (name: string) => `arn:aws:iam:::user/${name}`;
const keyOf = (name: string) => ({ accessKeyId: `KEYOF${name.toUpperCase()}`, secretAccessKey: `secret-of-${name}` });

/** Subusers stand for the keys of one project, users for projects of their own, as in `ceph.test.ts`. */
skipUnless(missing === undefined, missing ?? '')('bucketwright tenant on a real Ceph', () => {
  let rgw: RgwEndpoint;
  let directory: TemporaryDirectory;
  const file = (...names: readonly string[]) => join(directory.path, ...names);

  beforeAll(async () => {
    [rgw, directory] = await Promise.all([startRgw(), temporaryDirectory('tenants-ceph')]);
    const key = (name: string) => {
      const { accessKeyId, secretAccessKey } = keyOf(name);
      return [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    };
    for (const name of ['admin', 'first', 'second']) {
      const subuser = ['--uid=p1001', `--subuser=p1001:${name}`, '--key-type=s3', '--access=full'];
      await rgw.admin('subuser', 'create', ...subuser, ...key(name));
    }
    for (const name of ['gamma', 'delta']) {
      await rgw.admin('user', 'create', `--uid=${name}`, `--display-name=${name}`, ...key(name));
    }
    await writeFile(file('bucketwright.yaml'), `administrators: ['${principal('p1001:admin')}']\n`);
  }, 180_000);
  afterAll(async () => {
    await rgw?.[Symbol.asyncDispose]();
    await directory?.remove();
  });

  async function tenant(...args: readonly string[]) {
    const { accessKeyId, secretAccessKey } = keyOf('admin');
    const result = await run(process.execPath, [commandLine, 'tenant', ...args], {
      cwd: directory.path,
      env: cleanEnvironment({
        S3_ENDPOINT: rgw.url,
        S3_INSECURE: 'true',
        S3_REGION: rgw.region,
        S3_PROVIDER: 'ceph',
        S3_ACCESS_KEY_ID: accessKeyId,
        S3_SECRET_ACCESS_KEY: secretAccessKey,
      }),
      allow: [0, 2, 64, 78],
      timeoutMs: 120_000,
    });
    expect(result.stdout + result.stderr).not.toContain(secretAccessKey);
    return result;
  }

  /** What a PUT by somebody's key comes to: `ok`, or S3's code. */
  async function put(name: string, bucket: string, key: string): Promise<string> {
    const client = createClient(connectionTo({ ...rgw, ...keyOf(name) }, 'ceph'), { attempts: 1 });
    try {
      await client.put({ bucket, key, body: { bytes: 'x' } });
      return 'ok';
    } catch (error) {
      return error instanceof ClientError ? (error.s3Code ?? error.code) : 'unknown';
    } finally {
      client.close();
    }
  }

  test('without a key the steps that make one are printed, and nothing is changed', async () => {
    const { code, stdout, stderr } = await tenant('add', 'acme', '--prefix', 'shared/acme', '--yes');
    expect(code).toBe(78);
    expect(stdout).toContain('radosgw-admin user create --uid=acme');
    expect(stderr).toContain('has no principal');
    expect(await readFile(file('bucketwright.yaml'), 'utf8')).not.toContain('acme');
  }, 60_000);

  test('a life: added, rotated with an overlap, suspended, resumed, removed; its objects stay', async () => {
    const [first, second] = [principal('p1001:first'), principal('p1001:second')];
    const added = await tenant('add', 'acme', '--prefix', 'shared/acme', '--principal', first, '--yes');
    expect(added.code).toBe(0);
    // The trade-off is told with every plan.
    expect(added.stdout).toContain('Keys of the same project see everything until it is denied');
    expect(
      await tenant('add', 'gamma', '--prefix', 'shared/gamma', '--principal', principal('gamma'), '--yes'),
    ).toMatchObject({ code: 0 });
    expect(await put('first', 'shared', 'acme/a')).toBe('ok');
    expect(await put('first', 'shared', 'gamma/a')).toBe('AccessDenied');
    expect(await put('gamma', 'shared', 'gamma/a')).toBe('ok');
    expect(await put('gamma', 'shared', 'acme/a')).toBe('AccessDenied');
    // A key of the project that nobody named, and that came later.
    expect(await put('second', 'shared', 'acme/a')).toBe('AccessDenied');

    expect(await tenant('rotate', 'acme')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('no API that makes keys'),
    });
    expect(await tenant('rotate', 'acme', '--principal', second, '--yes')).toMatchObject({ code: 0 });
    expect(await put('first', 'shared', 'acme/b')).toBe('ok');
    expect(await put('second', 'shared', 'acme/b')).toBe('ok');
    expect(await put('second', 'shared', 'gamma/b')).toBe('AccessDenied');
    expect(await tenant('rotate', 'acme', '--end', first, '--yes')).toMatchObject({ code: 0 });
    expect(await put('first', 'shared', 'acme/c')).toBe('AccessDenied');
    expect(await put('second', 'shared', 'acme/c')).toBe('ok');
    expect((await tenant('list')).stdout).toContain('acme');
    expect((await tenant('credentials', 'acme')).stdout).toContain(second);

    expect(await tenant('suspend', 'acme', '--yes')).toMatchObject({ code: 0 });
    expect(await put('second', 'shared', 'acme/d')).toBe('AccessDenied');
    expect(await put('gamma', 'shared', 'gamma/d')).toBe('ok');
    expect(await tenant('resume', 'acme', '--yes')).toMatchObject({ code: 0 });
    expect(await put('second', 'shared', 'acme/d')).toBe('ok');
    expect(await tenant('plan')).toMatchObject({ code: 0, stdout: expect.stringContaining('No changes.') });

    const removed = await tenant('remove', 'acme', '--yes');
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('end the keys of acme') });
    expect(await readFile(file('bucketwright.yaml'), 'utf8')).not.toContain('acme');
    expect(await put('gamma', 'shared', 'acme/e')).toBe('AccessDenied');
    const objects = createClient(connectionTo({ ...rgw, ...keyOf('admin') }, 'ceph'));
    expect((await objects.head({ bucket: 'shared', key: 'acme/a' })).size).toBe(1);
    objects.close();
  }, 180_000);

  test("a quota is the operator's command, and the audit of the command line leaks nothing", async () => {
    const args = ['--bucket', 'delta-files', '--principal', principal('delta'), '--quota', '1GiB', '--yes'];
    const added = await tenant('add', 'delta', ...args);
    expect(added).toMatchObject({ code: 0 });
    expect(added.stdout).toContain(
      'radosgw-admin quota set --quota-scope=bucket --bucket=delta-files --max-size=1073741824',
    );
    await mkdir(file('keys'));
    for (const name of ['gamma', 'delta']) {
      const { accessKeyId, secretAccessKey } = keyOf(name);
      const text = `S3_ACCESS_KEY_ID=${accessKeyId}\nS3_SECRET_ACCESS_KEY=${secretAccessKey}\n`;
      await writeFile(file('keys', `${name}.env`), text, { mode: 0o600 });
    }
    const { code, stdout, stderr } = await tenant('audit', '--keys', 'keys');
    expect(code, stdout).toBe(0);
    expect(stderr).toMatch(/\d{3} attacks; \d+ checks: \d+ ok/);
    expect(stdout).toMatch(/^1: gamma > delta \(delta-files\)$/m);
    expect(stdout).toMatch(/^UploadPartCopy +\d/m);
  }, 180_000);
});
