import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, fingerprint, oddTree, readTree, sha256, writeTree } from '../support/content.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { notInstalled, program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const rclone = program('rclone') ?? '';
const MiB = 1024 * 1024;

skipUnless(rclone !== '', notInstalled('rclone'))('rclone', () => {
  let endpoint: DisposableEndpoint;
  let directory: TemporaryDirectory;
  const bucket = bucketName('rclone');
  const remote = `s3:${bucket}`;

  beforeAll(async () => {
    directory = await temporaryDirectory('rclone');
    endpoint = await testEndpoint();
    await cli('mkdir', remote);
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
    await directory?.remove();
  });

  const cli = (...args: string[]) =>
    run(rclone, args, {
      cwd: directory.path,
      timeoutMs: 90_000,
      env: cleanEnvironment({
        HOME: directory.path,
        LC_ALL: 'C.UTF-8',
        RCLONE_CONFIG: join(directory.path, 'rclone.conf'),
        RCLONE_RETRIES: '1',
        RCLONE_LOW_LEVEL_RETRIES: '1',
        RCLONE_CONFIG_S3_TYPE: 's3',
        RCLONE_CONFIG_S3_PROVIDER: 'Other',
        RCLONE_CONFIG_S3_ENDPOINT: endpoint.url,
        RCLONE_CONFIG_S3_REGION: endpoint.region,
        RCLONE_CONFIG_S3_ACCESS_KEY_ID: endpoint.accessKeyId,
        RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
        RCLONE_CONFIG_S3_FORCE_PATH_STYLE: 'true',
      }),
    });
  const file = (name: string) => join(directory.path, name);

  test('sync there, check --download, and back: odd names and all', { timeout: 180_000 }, async () => {
    await writeTree(file('tree'), oddTree());
    await cli('sync', 'tree', `${remote}/tree`);
    const check = await cli('check', '--download', 'tree', `${remote}/tree`);
    expect(check.stderr).toContain(`${Object.keys(oddTree()).length} matching files`);
    await cli('sync', `${remote}/tree`, 'tree-back');
    expect(fingerprint(await readTree(file('tree-back')))).toEqual(fingerprint(oddTree()));
    const again = await cli('sync', '--stats-one-line', '-v', 'tree', `${remote}/tree`);
    expect(again.stderr).toContain('There was nothing to transfer');
    const listed = (await cli('lsf', '--recursive', '--files-only', `${remote}/tree`)).stdout.trimEnd().split('\n');
    expect(listed.sort()).toEqual(Object.keys(oddTree()).sort());
  });

  test('copyto in parts, and cat of a range', { timeout: 180_000 }, async () => {
    const body = bytesOf('rclone', 22 * MiB + 1);
    await writeFile(file('large'), body);
    await cli('copyto', '--s3-upload-cutoff=5M', '--s3-chunk-size=5M', 'large', `${remote}/large`);
    await cli('copyto', `${remote}/large`, 'large-back');
    expect(sha256(await readFile(file('large-back')))).toBe(sha256(body));
    const range = await cli('cat', '--offset', String(5 * MiB - 10), '--count', '20', `${remote}/large`);
    expect(range.stdoutBytes.equals(body.subarray(5 * MiB - 10, 5 * MiB + 10))).toBe(true);
    // it keeps its own MD5 of a multipart object in the metadata
    expect((await cli('md5sum', `${remote}/large`)).stdout).toMatch(/^[0-9a-f]{32} {2}large\n/);
  });

  test('sync removes what is gone, moveto renames, purge empties', { timeout: 180_000 }, async () => {
    await writeTree(file('less'), { 'a.txt': Buffer.from('a'), 'b.txt': Buffer.from('b') });
    await cli('sync', 'less', `${remote}/less`);
    await writeTree(file('other'), { 'b.txt': Buffer.from('changed') });
    await cli('sync', '--checksum', 'other', `${remote}/less`);
    expect((await cli('lsf', `${remote}/less`)).stdout).toBe('b.txt\n');
    await cli('moveto', `${remote}/less/b.txt`, `${remote}/less/c.txt`);
    expect((await cli('cat', `${remote}/less/c.txt`)).stdout).toBe('changed');
    expect((await cli('lsf', `${remote}/less`)).stdout).toBe('c.txt\n');
    await cli('purge', remote);
    expect((await cli('lsf', 's3:')).stdout).not.toContain(bucket);
  });
});
