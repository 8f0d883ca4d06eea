import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, fingerprint, md5, oddTree, readTree, sha256, writeTree } from '../support/content.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { notInstalled, program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const s3cmd = program('s3cmd') ?? '';
const MiB = 1024 * 1024;

skipUnless(s3cmd !== '', notInstalled('s3cmd'))('s3cmd', () => {
  let endpoint: DisposableEndpoint;
  let directory: TemporaryDirectory;
  const bucket = bucketName('s3cmd');

  beforeAll(async () => {
    directory = await temporaryDirectory('s3cmd');
    endpoint = await testEndpoint();
    const host = `${endpoint.host}:${endpoint.port}`;
    const settings = {
      access_key: endpoint.accessKeyId,
      secret_key: endpoint.secretAccessKey,
      bucket_location: endpoint.region,
      host_base: host,
      host_bucket: host, // without %(bucket)s it stays path style
      use_https: 'False',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
    await writeFile(join(directory.path, 's3cfg'), `[default]\n${lines.join('')}`);
    await cli('mb', `s3://${bucket}`);
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
    await directory?.remove();
  });

  const cli = (...args: string[]) =>
    run(s3cmd, ['--config', join(directory.path, 's3cfg'), '--no-progress', ...args], {
      env: cleanEnvironment({ HOME: directory.path, LC_ALL: 'C.UTF-8' }),
      cwd: directory.path,
      timeoutMs: 90_000,
    });
  const file = (name: string) => join(directory.path, name);

  test('put, info, get: bytes, MD5 and type survive', async () => {
    const body = bytesOf('s3cmd', 150_001);
    await writeFile(file('small.html'), body);
    await cli('put', 'small.html', `s3://${bucket}/small.html`, '--mime-type=text/html');
    expect((await cli('info', `s3://${bucket}/small.html`)).stdout).toContain(`MD5 sum:   ${md5(body)}`);
    expect((await cli('info', `s3://${bucket}/small.html`)).stdout).toContain('text/html');
    await cli('get', `s3://${bucket}/small.html`, 'back.html');
    expect(sha256(await readFile(file('back.html')))).toBe(sha256(body));
  });

  test('multipart put and get', { timeout: 120_000 }, async () => {
    const body = bytesOf('s3cmd multipart', 16 * MiB + 5);
    await writeFile(file('large'), body);
    const put = await cli('put', '--progress', '--multipart-chunk-size-mb=5', 'large', `s3://${bucket}/large`);
    expect(put.stdout).toContain('part 4 of 4');
    await cli('get', `s3://${bucket}/large`, 'large-back');
    expect(sha256(await readFile(file('large-back')))).toBe(sha256(body));
  });

  test('sync there and back; a second sync finds nothing to do', { timeout: 120_000 }, async () => {
    await writeTree(file('tree'), oddTree());
    await cli('sync', 'tree/', `s3://${bucket}/sync/`);
    expect((await cli('sync', 'tree/', `s3://${bucket}/sync/`)).stdout).not.toContain('upload:');
    await cli('sync', `s3://${bucket}/sync/`, 'tree-back/');
    expect(fingerprint(await readTree(file('tree-back')))).toEqual(fingerprint(oddTree()));
  });

  test('ls, du, cp, mv, del and rb', { timeout: 120_000 }, async () => {
    await writeFile(file('five'), '12345');
    await cli('put', 'five', `s3://${bucket}/ls/a b`);
    expect((await cli('ls', `s3://${bucket}/ls/`)).stdout).toMatch(new RegExp(` 5 +s3://${bucket}/ls/a b\n`));
    expect((await cli('du', `s3://${bucket}/ls/`)).stdout).toMatch(/^ *5 +1 objects/);
    await cli('cp', `s3://${bucket}/ls/a b`, `s3://${bucket}/ls/copied`);
    await cli('mv', `s3://${bucket}/ls/copied`, `s3://${bucket}/ls/moved`);
    await cli('get', `s3://${bucket}/ls/moved`, 'moved');
    expect(await readFile(file('moved'), 'utf8')).toBe('12345');
    expect((await cli('ls', `s3://${bucket}/ls/`)).stdout).not.toContain('copied');
    await cli('del', '--recursive', '--force', `s3://${bucket}/`);
    await cli('rb', `s3://${bucket}`);
    expect((await cli('ls')).stdout).not.toContain(bucket);
  });
});
