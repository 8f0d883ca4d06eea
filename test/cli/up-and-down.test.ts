import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine, repository } from '../support/paths.ts';
import { freePorts } from '../support/ports.ts';
import { run } from '../support/run.ts';
import { startServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

let directory: TemporaryDirectory;
let env: Record<string, string>;
beforeAll(async () => {
  directory = await temporaryDirectory('up');
  const [port = 0, admin = 0] = await freePorts(2);
  env = {
    NO_COLOR: '1',
    BUCKETWRIGHT_DATA: join(directory.path, 'data'),
    BUCKETWRIGHT_LISTEN: `127.0.0.1:${port}`,
    BUCKETWRIGHT_ADMIN_LISTEN: `127.0.0.1:${admin}`,
  };
});
afterAll(async () => {
  await cli('down');
  await directory.remove();
});

const cli = (...args: readonly string[]) =>
  run(process.execPath, [commandLine, ...args], { cwd: directory.path, env: cleanEnvironment(env), allow: [0, 1, 78] });

test('up --detach proves the server; again is harmless; down stops it; the keys stay', async () => {
  const keyFile = join(env.BUCKETWRIGHT_DATA ?? '', 's3.env');
  const first = await cli('up', '--detach');
  expect(first.code, first.stderr).toBe(0);
  expect(first.stdout).toContain('created  cloudlysis-loki');
  expect(first.stdout).toContain('ok    multipart');
  for (const line of ['endpoint   http://127.0.0.1:', `settings   ${keyFile}`, 'awscli:', 'rclone:', 'stop: ']) {
    expect(first.stdout).toContain(line);
  }
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  const keys = readFileSync(keyFile, 'utf8');
  const secret = /S3_SECRET_ACCESS_KEY=(.+)/.exec(keys)?.[1] ?? '';
  expect(secret).toHaveLength(40);

  const second = await cli('up', '--detach');
  expect([second.code, second.stderr]).toEqual([0, expect.stringContaining('already running')]);
  expect(second.stdout).toContain('exists   cloudlysis-loki');
  const log = readFileSync(join(env.BUCKETWRIGHT_DATA ?? '', 'server.log'), 'utf8');
  for (const text of [first.stdout, first.stderr, second.stdout, second.stderr, log])
    expect(text).not.toContain(secret);

  expect((await cli('down')).stderr).toContain('stopped');
  expect((await cli('down')).stderr).toContain('no server runs');
  expect((await cli('up', '--detach')).stdout).toContain('exists   cloudlysis-loki');
  expect(readFileSync(keyFile, 'utf8')).toBe(keys);
  const kept = statSync(join(env.BUCKETWRIGHT_DATA ?? '', 'server.log'));
  expect(kept.mode & 0o777).toBe(0o600);
  await cli('down');
}, 60_000);

test("keys of another server's s3.env, from the shell, are said and not silently taken over", async () => {
  const sourced = {
    S3_ENDPOINT: 'http://127.0.0.1:1',
    S3_INSECURE: 'true',
    S3_PROVIDER: 'embedded',
    S3_ACCESS_KEY_ID: 'OFANOTHERSERVER',
    S3_SECRET_ACCESS_KEY: 'secret-of-another-server',
  };
  const [port = 0, admin = 0] = await freePorts(2);
  const own = { ...env, BUCKETWRIGHT_LISTEN: `127.0.0.1:${port}`, BUCKETWRIGHT_ADMIN_LISTEN: `127.0.0.1:${admin}` };
  const data = join(directory.path, 'of-nobody');
  for (const BUCKETWRIGHT_DATA of [data, env.BUCKETWRIGHT_DATA ?? '']) {
    const environment = cleanEnvironment({ ...own, BUCKETWRIGHT_DATA, ...sourced });
    const up = await run(process.execPath, [commandLine, 'up', '--detach'], { cwd: directory.path, env: environment });
    await run(process.execPath, [commandLine, 'down'], { cwd: directory.path, env: environment });
    expect(up.stderr).toContain(
      `warning: the keys are those of environment S3_ACCESS_KEY_ID, and not of ${BUCKETWRIGHT_DATA}/s3.env`,
    );
    expect(up.stderr).not.toContain(sourced.S3_SECRET_ACCESS_KEY);
  }
}, 60_000);

test('a data directory of a newer format is a matter of configuration, with advice', async () => {
  const data = join(directory.path, 'newer');
  mkdirSync(data);
  writeFileSync(join(data, 'FORMAT'), 'bucketwright format 4711\n');
  const environment = cleanEnvironment({ ...env, BUCKETWRIGHT_DATA: data });
  const answer = await run(process.execPath, [commandLine, 'serve'], { env: environment, allow: [78] });
  expect(answer.stderr).toContain('has format 4711');
  expect(answer.stderr).toContain('start the newer version of bucketwright');
});

test('npx, told to stop, takes the server along', async () => {
  const data = join(directory.path, 'npx');
  const [port = 0, admin = 0] = await freePorts(2);
  const listen = { BUCKETWRIGHT_LISTEN: `127.0.0.1:${port}`, BUCKETWRIGHT_ADMIN_LISTEN: `127.0.0.1:${admin}` };
  const npx = spawn('npx', ['--offline', 'bucketwright', 'serve'], {
    cwd: repository,
    env: cleanEnvironment({ ...listen, BUCKETWRIGHT_DATA: data }),
    stdio: 'ignore',
  });
  const record = join(data, 'server.pid');
  await eventually(() => existsSync(record));
  const { pid } = z.object({ pid: z.number() }).parse(JSON.parse(readFileSync(record, 'utf8')));
  npx.kill('SIGTERM');
  // the record goes at a clean end
  await eventually(() => !existsSync(record) && !existsSync(`/proc/${pid}`));
}, 60_000);

async function eventually(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not come to that within 20 s');
    await sleep(50);
  }
}

test('a taken port is said with the setting that moves it', async () => {
  const [host, port] = (env.BUCKETWRIGHT_LISTEN ?? '').split(':');
  const other = createServer();
  await new Promise<void>((done) => other.listen(Number(port), host, done));
  try {
    const answer = await cli('up', '--detach');
    expect(answer.code).toBe(1);
    expect(answer.stderr).toContain('BUCKETWRIGHT_LISTEN');
  } finally {
    await new Promise((done) => other.close(done));
  }
});

test.each(['SIGTERM', 'SIGINT'] as const)('serve drains at %s and ends with 0', async (signal) => {
  const server = await startServer();
  expect(await server.stop(signal)).toEqual({ code: 0, signal: null });
});
