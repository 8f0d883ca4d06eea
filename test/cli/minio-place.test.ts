/** The real command line in MinIO's place: what compose files and probes written for MinIO do to it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { freePorts } from '../support/ports.ts';
import { run } from '../support/run.ts';
import { startServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory('minio-place');
});
afterAll(() => directory.remove());

const root = { MINIO_ROOT_USER: 'someone', MINIO_ROOT_PASSWORD: 'long-enough-secret' };

interface InPlace extends AsyncDisposable {
  readonly url: string;
  readonly page: string;
  output(): string;
  client(region: string): S3Client;
}

/** `minio server DATA --address … --console-address …`, ready by MinIO's own path. */
async function minioServer(data: string, environment: Readonly<Record<string, string>>): Promise<InPlace> {
  const [port, page, admin] = await freePorts(3);
  const url = `http://127.0.0.1:${port}`;
  const args = ['minio', 'server', data, '--address', `127.0.0.1:${port}`, '--console-address', `127.0.0.1:${page}`];
  const child = spawn(process.execPath, [commandLine, ...args], {
    cwd: directory.path,
    env: cleanEnvironment({ ...root, BUCKETWRIGHT_ADMIN_LISTEN: `127.0.0.1:${admin}`, ...environment }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
    });
  }
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const answers = () =>
    fetch(`${url}/minio/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  const deadline = Date.now() + 30_000;
  while (!(await answers())) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`minio server is not ready:\n${text}`);
    }
    await sleep(50);
  }
  return {
    url,
    page: `http://127.0.0.1:${page}`,
    output: () => text,
    client: (region) =>
      new S3Client({
        endpoint: url,
        region,
        forcePathStyle: true,
        credentials: { accessKeyId: root.MINIO_ROOT_USER, secretAccessKey: root.MINIO_ROOT_PASSWORD },
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const names = async (client: S3Client) =>
  (await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);

test('root user, buckets of the environment and of mkdir, any region, the page, no secret in the log', async () => {
  const data = join(directory.path, 'place');
  mkdirSync(join(data, 'by-mkdir'), { recursive: true });
  mkdirSync(join(data, 'Not_A_Bucket'));
  await using server = await minioServer(data, { MINIO_DEFAULT_BUCKETS: 'photos,logs', BUCKETWRIGHT_BUCKETS: 'ours' });
  const client = server.client('eu-central-1');
  expect(await names(client)).toEqual(['by-mkdir', 'logs', 'ours', 'photos']);
  // the SDK sends its region as the location constraint
  await client.send(new CreateBucketCommand({ Bucket: 'made-abroad' }));
  const page = await fetch(server.page);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('no console')]);
  expect(server.output()).not.toContain(root.MINIO_ROOT_PASSWORD);
  client.destroy();
});

test('with a region of its own, only that one', async () => {
  await using server = await minioServer(join(directory.path, 'region'), { MINIO_REGION: 'eu-west-3' });
  await expect(names(server.client('eu-central-1'))).rejects.toMatchObject({ name: 'AuthorizationHeaderMalformed' });
  expect(await names(server.client('eu-west-3'))).toEqual([]);
});

test('refused: exit code 78, all at once, nothing written', async () => {
  const data = join(directory.path, 'refused');
  const args = ['minio', 'server', data, '/second', '--certs-dir', '/certs'];
  const env = cleanEnvironment({ ...root, MINIO_KMS_SECRET_KEY: 'name:secret-of-kms', MINIO_NOTIFY_NATS_ENABLE: 'on' });
  const { code, stderr } = await run(process.execPath, [commandLine, ...args], {
    env,
    cwd: directory.path,
    allow: [78],
  });
  expect(code).toBe(78);
  for (const name of ['/second', '--certs-dir', 'MINIO_KMS_SECRET_KEY', 'MINIO_NOTIFY_NATS_ENABLE']) {
    expect(stderr).toContain(name);
  }
  expect(stderr).not.toMatch(/secret-of-kms|long-enough-secret/);
  expect(existsSync(data)).toBe(false);
});

test("MinIO's own data is not touched", async () => {
  const data = join(directory.path, 'old');
  mkdirSync(join(data, '.minio.sys/buckets'), { recursive: true });
  const env = cleanEnvironment(root);
  const answer = await run(process.execPath, [commandLine, 'server', data], { env, cwd: directory.path, allow: [78] });
  expect(answer.stderr).toContain("holds MinIO's data");
});

test('health paths answer whoever does not sign, and never stand before a bucket called minio', async () => {
  await using server = await startServer({ env: { BUCKETWRIGHT_BUCKETS: 'minio' } });
  const at = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init).then(({ status }) => status);
  for (const path of ['live', 'ready', 'cluster', 'cluster/read', 'live?verbose']) {
    expect(await at(`/minio/health/${path}`), path).toBe(200);
    expect(await at(`/minio/health/${path}`, { method: 'HEAD' }), path).toBe(200);
  }
  expect(await at('/minio/health/other')).toBe(403);
  expect(await at('/minio/health/live', { method: 'DELETE' })).toBe(403);
  expect(await at('/minio/health/live', { method: 'PUT', body: 'x' })).toBe(403);
  expect(await at('/minio/health/live', { headers: { authorization: 'Bearer x' } })).toBe(400);
  const { accessKeyId, secretAccessKey, region, url } = server;
  const client = new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const object = { Bucket: 'minio', Key: 'health/live' };
  await client.send(new PutObjectCommand({ ...object, Body: 'an object' }));
  const { Body } = await client.send(new GetObjectCommand(object));
  expect(await Body?.transformToString()).toBe('an object');
  const signed = await fetch(await getSignedUrl(client, new GetObjectCommand(object)));
  expect(await signed.text()).toBe('an object');
  expect(await (await fetch(`${url}/minio/health/live`)).text()).toBe('');
  client.destroy();
});
