import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { bytesOf, fingerprint, md5, oddTree, readTree, sha256, writeTree } from '../support/content.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { notInstalled, program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const aws = program('aws') ?? '';
const MiB = 1024 * 1024;

skipUnless(aws !== '', notInstalled('awscli'))('awscli', () => {
  let endpoint: DisposableEndpoint;
  let directory: TemporaryDirectory;
  let env: NodeJS.ProcessEnv;
  const bucket = bucketName('awscli');

  beforeAll(async () => {
    directory = await temporaryDirectory('awscli');
    endpoint = await testEndpoint();
    env = cleanEnvironment({
      HOME: directory.path,
      AWS_CONFIG_FILE: join(directory.path, 'config'),
      AWS_ACCESS_KEY_ID: endpoint.accessKeyId,
      AWS_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
      AWS_DEFAULT_REGION: endpoint.region,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
      LC_ALL: 'C.UTF-8',
    });
    await writeFile(join(directory.path, 'config'), '[default]\ns3 =\n  addressing_style = path\n');
    await cli('s3', 'mb', `s3://${bucket}`);
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
    await directory?.remove();
  });

  const cli = (...args: string[]) => run(aws, ['--endpoint-url', endpoint.url, ...args], { env, cwd: directory.path });
  /** What it said when it ended otherwise than with 0. */
  const refused = async (...args: string[]) => {
    const all = ['--endpoint-url', endpoint.url, ...args];
    return (await run(aws, all, { env, cwd: directory.path, allow: [1, 254, 255] })).stderr;
  };
  const json = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await cli(...args, '--output', 'json')).stdout);
  /** `s3 ls` answers 1 and prints nothing where nothing is. */
  const nothingAt = async (prefix: string) => {
    const args = ['--endpoint-url', endpoint.url, 's3', 'ls', `s3://${bucket}/${prefix}`];
    const { code, stdout } = await run(aws, args, { env, allow: [0, 1] });
    expect([code, stdout]).toEqual([1, '']);
  };
  const file = (name: string) => join(directory.path, name);

  test('cp carries small and multipart files there and back', { timeout: 120_000 }, async () => {
    for (const [name, length] of [
      ['small.txt', 1_000],
      ['large.bin', 20 * MiB + 3],
    ] as const) {
      const body = bytesOf(name, length);
      await writeFile(file(name), body);
      await cli('s3', 'cp', '--no-progress', name, `s3://${bucket}/cp/${name}`);
      await cli('s3', 'cp', '--no-progress', `s3://${bucket}/cp/${name}`, `back-${name}`);
      expect(sha256(await readFile(file(`back-${name}`)))).toBe(sha256(body));
    }
    const head = await json('s3api', 'head-object', '--bucket', bucket, '--key', 'cp/large.bin');
    // its parts are 8 MiB each
    expect(head).toMatchObject({ ContentLength: 20 * MiB + 3, ETag: expect.stringMatching(/^"[0-9a-f]{32}-3"$/) });
    expect(await json('s3api', 'head-object', '--bucket', bucket, '--key', 'cp/small.txt')).toMatchObject({
      ETag: `"${md5(bytesOf('small.txt', 1_000))}"`,
      ContentType: 'text/plain',
    });
  });

  test('sync there and back keeps names and bytes, and --delete removes', { timeout: 180_000 }, async () => {
    await writeTree(file('tree'), oddTree());
    // awscli compares times to the second: a file made within the second of its upload would count as newer for ever.
    const anHourAgo = new Date(Date.now() - 3_600_000);
    for (const name of Object.keys(oddTree())) await utimes(join(file('tree'), name), anHourAgo, anHourAgo);
    await cli('s3', 'sync', '--no-progress', 'tree', `s3://${bucket}/sync`);
    await cli('s3', 'sync', '--no-progress', `s3://${bucket}/sync`, 'tree-back');
    expect(fingerprint(await readTree(file('tree-back')))).toEqual(fingerprint(oddTree()));
    const again = await cli('s3', 'sync', '--no-progress', 'tree', `s3://${bucket}/sync`);
    expect(again.stdout.trim()).toBe('');
    await mkdir(file('nothing'));
    await cli('s3', 'sync', '--delete', '--no-progress', 'nothing', `s3://${bucket}/sync`);
    const left = await cli('s3', 'ls', '--recursive', `s3://${bucket}/cp/`);
    expect(left.stdout).toContain('cp/large.bin');
    await nothingAt('sync/');
  });

  test('ls shows sizes and common prefixes', async () => {
    await run(aws, ['--endpoint-url', endpoint.url, 's3', 'cp', '-', `s3://${bucket}/ls/deep/er`], {
      env,
      input: '12345',
    });
    expect((await cli('s3', 'ls', `s3://${bucket}/ls/`)).stdout).toMatch(/PRE deep\//);
    expect((await cli('s3', 'ls', '--recursive', `s3://${bucket}/ls/`)).stdout).toMatch(/ 5 ls\/deep\/er\n/);
    expect((await cli('s3', 'ls')).stdout).toContain(bucket);
  });

  test('presign gives a URL that anyone can fetch', async () => {
    await run(aws, ['--endpoint-url', endpoint.url, 's3', 'cp', '-', `s3://${bucket}/pre signed`], {
      env,
      input: 'shared',
    });
    const url = (await cli('s3', 'presign', `s3://${bucket}/pre signed`, '--expires-in', '60')).stdout.trim();
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, 'shared']);
    expect((await fetch(url.split('?')[0] ?? '')).status).toBe(403);
  });

  test('s3api put-object with a checksum, head-object with checksum-mode', async () => {
    await writeFile(file('summed'), 'The quick brown fox');
    const algorithm = ['--checksum-algorithm', 'SHA256'];
    await cli('s3api', 'put-object', '--bucket', bucket, '--key', 'summed', '--body', 'summed', ...algorithm);
    const head = await json(
      's3api',
      'head-object',
      '--bucket',
      bucket,
      '--key',
      'summed',
      '--checksum-mode',
      'ENABLED',
    );
    const expected = Buffer.from(sha256(Buffer.from('The quick brown fox')), 'hex').toString('base64');
    expect(head).toMatchObject({ ChecksumSHA256: expected });
  });

  test('s3api with SSE-C, CORS, versions and object lock', { timeout: 240_000 }, async () => {
    await writeFile(file('key'), bytesOf('a key', 32));
    await writeFile(file('sealed'), 'sealed by its own key');
    const secret = ['--sse-customer-algorithm', 'AES256', '--sse-customer-key', 'fileb://key'];
    const sealed = ['--bucket', bucket, '--key', 'sealed'];
    await cli('s3api', 'put-object', ...sealed, '--body', 'sealed', ...secret);
    await cli('s3api', 'get-object', ...sealed, ...secret, 'opened');
    expect(await readFile(file('opened'), 'utf8')).toBe('sealed by its own key');
    expect(await refused('s3api', 'get-object', ...sealed, 'not-opened')).toContain('InvalidRequest');
    await cli(
      's3',
      'cp',
      '--no-progress',
      `s3://${bucket}/sealed`,
      'copied',
      '--sse-c',
      'AES256',
      '--sse-c-key',
      'fileb://key',
    );
    expect(await readFile(file('copied'), 'utf8')).toBe('sealed by its own key');

    const rules = { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['https://example.com'] }] };
    await cli('s3api', 'put-bucket-cors', '--bucket', bucket, '--cors-configuration', JSON.stringify(rules));
    expect(await json('s3api', 'get-bucket-cors', '--bucket', bucket)).toMatchObject(rules);

    const locked = ['--bucket', `${bucket}-locked`];
    await cli('s3api', 'create-bucket', ...locked, '--object-lock-enabled-for-bucket');
    expect(await json('s3api', 'get-bucket-versioning', ...locked)).toMatchObject({ Status: 'Enabled' });
    const kept = [...locked, '--key', 'kept'];
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const lock = ['--object-lock-mode', 'GOVERNANCE', '--object-lock-retain-until-date', until];
    const digest = ['--content-md5', Buffer.from(md5(Buffer.from('sealed by its own key')), 'hex').toString('base64')];
    const put = z
      .object({ VersionId: z.string() })
      .loose()
      .parse(await json('s3api', 'put-object', ...kept, '--body', 'sealed', ...lock, ...digest));
    const version = [...kept, '--version-id', put.VersionId];
    expect(await refused('s3api', 'delete-object', ...version)).toContain('AccessDenied');
    await cli('s3api', 'put-object-legal-hold', ...version, '--legal-hold', 'Status=ON');
    expect(await refused('s3api', 'delete-object', ...version, '--bypass-governance-retention')).toContain(
      'AccessDenied',
    );
    await cli('s3api', 'put-object-legal-hold', ...version, '--legal-hold', 'Status=OFF');
    await cli('s3api', 'delete-object', ...version, '--bypass-governance-retention');
    await cli('s3api', 'delete-bucket', ...locked);
  });

  test('rm takes one object, rm --recursive the rest, rb --force the bucket', { timeout: 120_000 }, async () => {
    await cli('s3', 'rm', `s3://${bucket}/summed`);
    await nothingAt('summed');
    await cli('s3', 'rm', '--recursive', `s3://${bucket}/cp`);
    await cli('s3', 'rb', '--force', `s3://${bucket}`);
    expect((await cli('s3', 'ls')).stdout).not.toContain(bucket);
  });
});
