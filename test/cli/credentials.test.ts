import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const report = z.object({
  findings: z.array(z.object({ id: z.string(), status: z.string(), subject: z.string(), found: z.string() })),
});

let server: TestServer;
let scratch: TemporaryDirectory;
beforeAll(async () => {
  [server, scratch] = await Promise.all([startServer(), temporaryDirectory('credentials')]);
  const { url, region, accessKeyId, secretAccessKey } = server;
  const client = new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  for (const Bucket of ['cloudlysis-loki', 'payroll']) await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
});
afterAll(async () => {
  await server?.stop();
  await scratch?.remove();
});

function check(secret: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const { url, region, accessKeyId, data } = server;
  const env = cleanEnvironment({
    S3_ENDPOINT: url,
    S3_INSECURE: 'true',
    S3_REGION: region,
    S3_PROVIDER: 'embedded',
    S3_ACCESS_KEY_ID: accessKeyId,
    BUCKETWRIGHT_DATA: data,
    ...secret,
  });
  const all = [commandLine, 'credentials', 'check', '--json', ...args];
  return run('node', all, { env, cwd: scratch.path, allow: [0, 2] });
}

test('a key of full entropy in a private file reaches a bucket that it need not', async () => {
  const file = join(scratch.path, 'key');
  await writeFile(file, server.secretAccessKey, { mode: 0o600 });
  const { stdout, code } = await check({ S3_SECRET_ACCESS_KEY_FILE: file });
  const { findings } = report.parse(JSON.parse(stdout));
  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([
    expect.objectContaining({ id: 'key-reach', status: 'warn', subject: 'payroll' }),
  ]);
  expect(findings.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['key-strength', 'key-file-mode', 'key-age', 'inline-secret']),
  );
  expect(code).toBe(0);
  expect((await check({ S3_SECRET_ACCESS_KEY_FILE: file }, ['--strict'])).code).toBe(2);
});

test('a readable file and a copy in a compose file are findings, and nothing prints the key', async () => {
  const file = join(scratch.path, 'key');
  await writeFile(file, server.secretAccessKey);
  await chmod(file, 0o644);
  await writeFile(join(scratch.path, 'docker-compose.yml'), `# old: ${server.secretAccessKey}\nservices: {}\n`);
  const { stdout, stderr, code } = await check({ S3_SECRET_ACCESS_KEY_FILE: file });
  const failed = report.parse(JSON.parse(stdout)).findings.filter(({ status }) => status === 'fail');
  expect(failed.map(({ id, subject }) => [id, subject])).toEqual([
    ['key-file-mode', file],
    ['inline-secret', 'docker-compose.yml:1'],
  ]);
  expect(code).toBe(2);
  expect(stdout + stderr).not.toContain(server.secretAccessKey);
});
