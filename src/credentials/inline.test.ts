import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import { checkInline, inLine } from './inline.ts';
import { ageFinding, checkFileMode } from './key-files.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'inline-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test.each([
  'secret_access_key: Zm9vYmFyYmF6cXV4',
  '  secretAccessKey: "Zm9vYmFyYmF6cXV4"',
  'AWS_SECRET_ACCESS_KEY=Zm9vYmFyYmF6cXV4',
  'S3_SECRET_ACCESS_KEY = Zm9vYmFyYmF6cXV4',
  '{"secretKey":"Zm9vYmFyYmF6cXV4"}',
  'MINIO_ROOT_PASSWORD: minioadmin',
  'endpoint: https://user:Zm9vYmFy@s3.example.com',
])('%s is a secret written out', (line) => {
  expect(inLine(line, undefined)).toBeDefined();
});

test.each([
  ['secret_access_key: ', '{S3_SECRET_ACCESS_KEY}'].join('$'),
  ['secret_access_key: ', 'S3_SECRET_ACCESS_KEY'].join('$'),
  'S3_SECRET_ACCESS_KEY_FILE=/run/secrets/s3_secret_access_key',
  'secretAccessKeyFile: ./secrets/key',
  'secret_access_key: <secret>',
  'secret_access_key: your-secret-here',
  'secret_access_key:',
  '{{ .secret_access_key }}',
  'https://example.com/a:b@c',
  ['https://user:', '{PASSWORD}@example.com'].join('$'),
])('%s is none', (line) => {
  expect(inLine(line, undefined)).toBeUndefined();
});

test('the key in use is found wherever it is, and never repeated', async () => {
  const secret = 'Yq8-8x!kD03_the-key-in-use';
  await mkdir(join(directory, 'loki'));
  await writeFile(join(directory, 'loki', 'loki.yaml'), `auth: false\ncomment: left ${secret} here\n`);
  await writeFile(join(directory, 'notes.txt'), secret);
  await mkdir(join(directory, 'node_modules'));
  await writeFile(join(directory, 'node_modules', 'x.yaml'), secret);
  await symlink(directory, join(directory, 'loop'));
  const findings = await checkInline([directory], new Secret(secret));
  expect(findings.map(({ subject, status }) => [subject, status])).toEqual([
    [join(directory, 'loki', 'loki.yaml:2'), 'fail'],
  ]);
  expect(JSON.stringify(findings)).not.toContain(secret);
});

test('a file that is there to hold secrets is judged by its mode', async () => {
  const path = join(directory, 's3.env');
  await writeFile(path, 'S3_SECRET_ACCESS_KEY=Zm9vYmFyYmF6cXV4\n');
  await chmod(path, 0o600);
  expect(await checkInline([directory], undefined)).toMatchObject([{ status: 'ok' }]);
  expect(await checkFileMode(path)).toMatchObject({ status: 'ok' });
  await chmod(path, 0o640);
  expect(await checkInline([directory], undefined)).toMatchObject([{ status: 'fail', advice: `chmod 600 ${path}` }]);
  expect(await checkFileMode(path)).toMatchObject({ status: 'warn', found: 'mode 0640' });
  await chmod(path, 0o604);
  expect(await checkFileMode(path)).toMatchObject({ status: 'fail' });
  expect(await checkFileMode(join(directory, 'absent'))).toBeUndefined();
});

test('a key is old beyond its limit', () => {
  const day = 86_400_000;
  const limit = { now: 100 * day, maxAge: 90 * day };
  expect(ageFinding('k', 10 * day, '', limit)).toMatchObject({ status: 'ok', found: '90 days old' });
  expect(ageFinding('k', 9 * day, 'at least ', limit)).toMatchObject({ status: 'warn', found: 'at least 91 days old' });
});
