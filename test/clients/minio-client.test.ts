import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, fingerprint, oddTree, readTree, sha256, writeTree } from '../support/content.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { notInstalled, program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

// Debian calls it minio-client, since mc is Midnight Commander; other distributions say mcli
const mc = program('minio-client') ?? program('mcli') ?? '';
const MiB = 1024 * 1024;

skipUnless(mc !== '', notInstalled('minio-client (mc)'))('mc, the MinIO client', () => {
  let endpoint: DisposableEndpoint;
  let directory: TemporaryDirectory;
  const bucket = bucketName('mc');
  const remote = `local/${bucket}`;

  beforeAll(async () => {
    directory = await temporaryDirectory('mc');
    endpoint = await testEndpoint();
    await cli('alias', 'set', 'local', endpoint.url, endpoint.accessKeyId, endpoint.secretAccessKey);
    // what every init container runs, twice, since containers start again
    await cli('mb', '--ignore-existing', '--region', endpoint.region, remote);
    await cli('mb', '--ignore-existing', '--region', endpoint.region, remote);
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
    await directory?.remove();
  });

  const cli = (...args: string[]) =>
    run(mc, ['--config-dir', join(directory.path, 'mc'), '--quiet', '--no-color', ...args], {
      cwd: directory.path,
      env: cleanEnvironment({ HOME: directory.path, LC_ALL: 'C.UTF-8' }),
      timeoutMs: 90_000,
    });
  const file = (name: string) => join(directory.path, name);

  test('alias set refuses wrong keys', async () => {
    await expect(cli('alias', 'set', 'wrong', endpoint.url, endpoint.accessKeyId, 'wrong-secret')).rejects.toThrow(
      /signature|SignatureDoesNotMatch/i,
    );
  });

  test('cp, stat and cat of a small and a multipart file', { timeout: 180_000 }, async () => {
    for (const [name, length] of [
      ['small.json', 2_000],
      ['large.bin', 70 * MiB + 9], // it cuts at 16 MiB, starting above 64 MiB
    ] as const) {
      const body = bytesOf(name, length);
      await writeFile(file(name), body);
      await cli('cp', name, `${remote}/cp/${name}`);
      const stat: unknown = JSON.parse((await cli('--json', 'stat', `${remote}/cp/${name}`)).stdout);
      expect(stat).toMatchObject({ status: 'success', size: length });
      await cli('cp', `${remote}/cp/${name}`, `back-${name}`);
      expect(sha256(await readFile(file(`back-${name}`)))).toBe(sha256(body));
    }
    expect((await cli('cat', `${remote}/cp/small.json`)).stdoutBytes.equals(bytesOf('small.json', 2_000))).toBe(true);
  });

  test('mirror there and back, then again with nothing to do', { timeout: 180_000 }, async () => {
    await writeTree(file('tree'), oddTree());
    // diff calls a file newer where S3's whole seconds are older than its mtime's fraction
    await run('find', [file('tree'), '-exec', 'touch', '-d', '1 hour ago', '{}', '+']);
    await cli('mirror', 'tree', `${remote}/mirror`);
    await cli('mirror', `${remote}/mirror`, 'tree-back');
    expect(fingerprint(await readTree(file('tree-back')))).toEqual(fingerprint(oddTree()));
    expect((await cli('diff', 'tree', `${remote}/mirror`)).stdout).toBe('');
    const listed = (await cli('--json', 'ls', '--recursive', `${remote}/mirror/`)).stdout.trimEnd().split('\n');
    expect(listed).toHaveLength(Object.keys(oddTree()).length);
  });

  test('rm takes one object, rm --recursive --force the rest, rb the bucket', async () => {
    await writeFile(file('one'), '1');
    await cli('cp', 'one', `${remote}/rm/one`);
    await cli('cp', 'one', `${remote}/rm/two`);
    await cli('rm', `${remote}/rm/one`);
    expect((await cli('ls', `${remote}/rm/`)).stdout).not.toContain('one');
    expect((await cli('ls', `${remote}/rm/`)).stdout).toContain('two');
    await cli('rm', '--recursive', '--force', remote);
    expect((await cli('ls', '--recursive', remote)).stdout).toBe('');
    await cli('rb', remote);
    expect((await cli('ls', 'local')).stdout).not.toContain(bucket);
  });
});
