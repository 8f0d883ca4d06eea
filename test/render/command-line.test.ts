/** `bucketwright render` and `observability check` as processes: files, exit codes, and nothing written on a refusal. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commandLine, repository } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const { PATH, HOME } = process.env;
const hetzner = {
  S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_ACCESS_KEY_ID: 'AKIAEXAMPLE',
  S3_SECRET_ACCESS_KEY: 'secretsecretsecret',
};

const bucketwright = (args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = tmpdir()) =>
  run(process.execPath, [commandLine, ...args], { cwd, env: { PATH, HOME, ...env }, allow: [0, 1, 2, 64, 78] });

it('the committed files are what the command renders', async () => {
  const { code, stdout } = await bucketwright(['render', 'all', '--check', repository]);
  expect(stdout).not.toMatch(/different|missing/);
  expect(code).toBe(0);
});

it('writes, says what differs, and keeps its hands off periods that a migration added', async () => {
  await using directory = await temporaryDirectory('render');
  const at = directory.path;
  expect((await bucketwright(['render', 'all', '--write', at], hetzner)).code).toBe(0);
  const file = join(at, 'observability/loki/config.s3.yml');
  const text = await readFile(file, 'utf8');
  expect(text).toContain('endpoint: "fsn1.your-objectstorage.com"');
  expect((await stat(file)).mode & 0o777).toBe(0o644);
  expect((await bucketwright(['render', 'all', '--check', at], hetzner)).code).toBe(0);
  expect((await bucketwright(['render', 'loki', '--check', at])).code).toBe(2);

  await writeFile(file, text.replace('    - from: "2024-01-01"', '    - from: "2023-01-01"'));
  const refused = await bucketwright(['render', 'all', '--write', at]);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain('schema period');
  expect(await readFile(join(at, 'docker-compose.yml'), 'utf8')).toContain('bucketwright');
  expect(await readFile(join(at, 'observability/tempo/config.s3.yml'), 'utf8')).toContain('fsn1');
});

it('writes nothing when a setting is wrong', async () => {
  await using directory = await temporaryDirectory('render');
  const { code, stderr } = await bucketwright(['render', 'all', '--write', directory.path], {
    ...hetzner,
    S3_PREFIX_LOKI: 'a/b',
  });
  expect(code).toBe(78);
  expect(stderr).toContain('S3_PREFIX_LOKI');
  expect(await readdir(directory.path)).toEqual([]);
});

it('writes the credentials file for its owner alone, and no key that a reader would misread', async () => {
  await using directory = await temporaryDirectory('render');
  const file = join(directory.path, 'credentials');
  expect((await bucketwright(['render', 'credentials', '--output', file], hetzner)).code).toBe(0);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).toContain(`aws_secret_access_key = ${hetzner.S3_SECRET_ACCESS_KEY}\n`);
  await rm(file);
  const quoted = { ...hetzner, S3_SECRET_ACCESS_KEY: 'with"quote"inside' };
  const refused = await bucketwright(['render', 'credentials', '--output', file], quoted);
  expect(refused.code).toBe(78);
  expect(refused.stdout + refused.stderr).not.toContain('with"quote');
  expect(await readdir(directory.path)).toEqual([]);
});

it('observability check: 0 for what we render, 2 with advice for what is wrong, 64 for no file', {
  timeout: 120_000,
}, async () => {
  await using directory = await temporaryDirectory('render');
  await bucketwright(['render', 'all', '--write', directory.path], hetzner);
  const loki = join(directory.path, 'observability/loki/config.s3.yml');
  const tempo = join(directory.path, 'observability/tempo/config.s3.yml');
  const compose = join(directory.path, 'observability/docker-compose.yml');
  // Nothing is asked of the provider that the settings name.
  const args = ['observability', 'check', '--no-live', '--loki', loki, '--tempo', tempo, '--compose', compose];
  const fine = await bucketwright(args, hetzner);
  expect(fine.stdout).not.toMatch(/FAIL|WARN/);
  expect(fine.code).toBe(0);

  await writeFile(loki, (await readFile(loki, 'utf8')).replace('"fsn1.your', '"https://fsn1.your'));
  const told = await bucketwright(args, hetzner);
  expect(told.stdout.match(/^FAIL .*\n {6}if it is left: .+\n {6}→ .+$/gm)).toHaveLength(1);
  const wrong = await bucketwright([...args, '--json'], hetzner);
  expect(wrong.code).toBe(2);
  const { findings } = JSON.parse(wrong.stdout);
  expect(findings).toContainEqual(
    expect.objectContaining({
      id: 'loki-endpoint',
      status: 'fail',
      advice: expect.stringContaining('insecure: false'),
    }),
  );
  expect((await bucketwright(['observability', 'check'])).code).toBe(64);
  expect((await bucketwright(['observability', 'check', '--loki', 'no-such-file'])).code).toBe(64);
});
