import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
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
  await cli('down');
}, 60_000);

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
