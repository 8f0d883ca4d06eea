import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytesOf, fingerprint, oddTree, readTree, writeTree } from '../support/content.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { repository } from '../support/paths.ts';
import { notInstalled, program } from '../support/programs.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const restic = program('restic') ?? '';

skipUnless(restic !== '', notInstalled('restic'))('restic', () => {
  let endpoint: DisposableEndpoint;
  let directory: TemporaryDirectory;
  const bucket = bucketName('restic');

  beforeAll(async () => {
    directory = await temporaryDirectory('restic');
    endpoint = await testEndpoint();
  });
  afterAll(async () => {
    await endpoint?.[Symbol.asyncDispose]();
    await directory?.remove();
  });

  const cli = (...args: string[]) =>
    run(restic, args, {
      cwd: directory.path,
      timeoutMs: 120_000,
      env: cleanEnvironment({
        HOME: directory.path,
        LC_ALL: 'C.UTF-8',
        AWS_ACCESS_KEY_ID: endpoint.accessKeyId,
        AWS_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
        AWS_DEFAULT_REGION: endpoint.region,
        RESTIC_PASSWORD: 'only for this test',
        RESTIC_REPOSITORY: `s3:${endpoint.url}/${bucket}`,
      }),
    });
  const file = (name: string) => join(directory.path, name);

  test('init, backup, check --read-data, restore and forget of real trees', { timeout: 300_000 }, async () => {
    // the compiler's own folder: some hundred real files, up to megabytes
    const real = await readTree(join(repository, 'node_modules/typescript/lib'));
    const tree = { ...oddTree(), ...real, 'big.bin': bytesOf('restic', 20_000_000) };
    await writeTree(file('source'), tree);
    await cli('init');
    await cli('backup', '--host', 'test', 'source');
    expect((await cli('check', '--read-data')).stdout).toContain('no errors were found');

    await writeTree(file('source'), { 'docs/readme.md': Buffer.from('changed') });
    const second = await cli('backup', '--host', 'test', 'source');
    expect(second.stdout).toMatch(/1 changed/);

    await cli('restore', 'latest', '--target', 'restored');
    const changed = { ...tree, 'docs/readme.md': Buffer.from('changed') };
    expect(fingerprint(await readTree(file('restored/source')))).toEqual(fingerprint(changed));

    await cli('forget', '--keep-last', '1', '--prune');
    const snapshots: unknown = JSON.parse((await cli('snapshots', '--json')).stdout);
    expect(snapshots).toHaveLength(1);
    expect((await cli('check', '--read-data')).stdout).toContain('no errors were found');
  });
});
