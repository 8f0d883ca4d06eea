/** `bucketwright user` beside a running server of two processes: what a command changed holds when it returns. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ListBucketsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { readEnvFile, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ args: ['--processes', '2'], env: { BUCKETWRIGHT_BUCKETS: 'photos' } });
});
afterAll(() => server?.stop());

async function user(...args: readonly string[]) {
  return run(process.execPath, [commandLine, 'user', ...args], {
    cwd: server.data,
    env: cleanEnvironment({ NO_COLOR: '1', BUCKETWRIGHT_DATA: server.data }),
    allow: [0, 1, 2, 64, 78],
  });
}

/** Each time on a connection of its own, so that both processes are met. */
async function mayList(keys: { readonly accessKeyId: string; readonly secretAccessKey: string }): Promise<string> {
  const client = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: keys,
    maxAttempts: 1,
  });
  try {
    await client.send(new ListBucketsCommand({}));
    return 'yes';
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown';
  } finally {
    client.destroy();
  }
}

async function allSay(keys: Parameters<typeof mayList>[0], expected: string) {
  const answers = await Promise.all(Array.from({ length: 8 }, () => mayList(keys)));
  expect(new Set(answers)).toEqual(new Set([expected]));
}

test('a life: added, given rights, rotated, disabled, enabled, removed', async () => {
  const added = await user('add', 'alice', '--json');
  const first: { accessKeyId: string; secretAccessKey: string } = JSON.parse(added.stdout);
  await allSay(first, 'AccessDenied');
  await user('policy', 'alice', '--set', 'readonly');
  await allSay(first, 'yes');
  const out = join(server.data, 'alice-2.env');
  const rotated = await user('rotate', 'alice', '--overlap', '0s', '--out', out);
  expect(rotated.stdout + rotated.stderr).toContain(`${first.accessKeyId} no longer works`);
  await allSay(first, 'InvalidAccessKeyId');
  expect((await stat(out)).mode & 0o777).toBe(0o600);
  const file = await readEnvFile(out);
  const second = { accessKeyId: file.S3_ACCESS_KEY_ID ?? '', secretAccessKey: file.S3_SECRET_ACCESS_KEY ?? '' };
  await allSay(second, 'yes');
  await user('disable', 'alice');
  await allSay(second, 'InvalidAccessKeyId');
  await user('enable', 'alice');
  await allSay(second, 'yes');
  const plan = await user('remove', 'alice');
  expect(plan).toMatchObject({ code: 2 });
  expect(plan.stdout).toContain(`would remove key ${second.accessKeyId}`);
  await allSay(second, 'yes');
  expect((await user('remove', 'alice', '--yes')).code).toBe(0);
  await allSay(second, 'InvalidAccessKeyId');
});

test('a user of the root account may what its policy says, and its objects are the account’s', async () => {
  const { stdout } = await user('add', 'uploader', '--policy', 'writeonly', '--json');
  const credentials: { accessKeyId: string; secretAccessKey: string } = JSON.parse(stdout);
  const client = new S3Client({ endpoint: server.url, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new PutObjectCommand({ Bucket: 'photos', Key: 'a', Body: 'x' }));
  await expect(client.send(new ListBucketsCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' });
  client.destroy();
});

test('mistakes are one line, and no secret is ever listed', async () => {
  expect(await user('rotate', 'nobody')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no user nobody'),
  });
  expect(await user('add', 'uploader')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is a user uploader'),
  });
  expect(await user('add', 'a b')).toMatchObject({ code: 64 });
  expect(await user('add', 'x', '--policy', 'nothing.json')).toMatchObject({ code: 64 });
  expect(await user('add', 'x', '--out', join(server.data, 's3.env'))).toMatchObject({ code: 64 });
  const listed = await user('list', '--json');
  expect(JSON.parse(listed.stdout).users).toHaveLength(1);
  expect(listed.stdout).not.toContain('secret');
  expect(await readFile(join(server.data, 'users.json'), 'utf8')).toContain('"uploader"');
});
