/** The `mc` of the image, as init containers of compose files call it, against the built server. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { freePorts } from '../support/ports.ts';
import { run } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

let directory: TemporaryDirectory;
let server: TestServer;
beforeAll(async () => {
  directory = await temporaryDirectory('mc');
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
  await directory.remove();
});

const mc = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, [commandLine, 'mc', ...args], {
    cwd: directory.path,
    env: cleanEnvironment({ MC_CONFIG_DIR: join(directory.path, 'mc'), ...environment }),
    allow: [0, 1, 64, 69, 77],
  });

test('alias set, ready, mb twice and ls; the keys lie in a private file and are never printed', async () => {
  const { url, accessKeyId, secretAccessKey } = server;
  const answers = [
    await mc(['config', 'host', 'add', 'place', url, accessKeyId, secretAccessKey, '--api', 'S3v4']),
    await mc(['ready', 'place']),
    await mc(['mb', 'place/photos']),
    await mc(['mb', '--ignore-existing', 'place/photos', 'place/logs/']),
    await mc(['ls', 'place']),
    await mc(['alias', 'list']),
  ];
  expect(answers.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(answers[4]?.stdout).toMatch(/ logs\/\n.* photos\/\n$/s);
  expect(answers[5]?.stdout).toBe(`place  ${url}\n`);
  for (const { stdout, stderr } of answers) expect(stdout + stderr).not.toContain(secretAccessKey);
  const file = join(directory.path, 'mc/config.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toContain(secretAccessKey);
  await mc(['alias', 'remove', 'place']);
  expect(readFileSync(file, 'utf8')).not.toContain(secretAccessKey);
});

test('an alias by MC_HOST_', async () => {
  const { accessKeyId, secretAccessKey, host, port } = server;
  const MC_HOST_env = `http://${accessKeyId}:${secretAccessKey}@${host}:${port}`;
  expect((await mc(['mb', 'env/by-variable'], { MC_HOST_env })).stdout).toContain('env/by-variable');
});

test('until mc alias set …: not 0 while nobody answers, nor with a wrong key', async () => {
  const [port] = await freePorts(1);
  expect((await mc(['alias', 'set', 'a', `http://127.0.0.1:${port}`, 'some-key', 'some-secret'])).code).toBe(69);
  const wrong = await mc(['alias', 'set', 'a', server.url, server.accessKeyId, 'not-its-secret']);
  expect(wrong.code).toBe(77);
  expect(wrong.stderr).not.toContain('not-its-secret');
});

test.each([
  [['admin', 'user', 'add', 'm', 'name', 'secret'], '`admin user`'],
  [['rm', '-r', '--force', 'm/b'], '`rm`'],
  [['mb', '--with-lock', 'm/b'], '--with-lock'],
  [['mb', 'nobody/b'], 'no alias nobody'],
  [['anonymous', 'set', 'download', 'm/b/prefix'], '`anonymous set`'],
  [['alias', 'set', 'm', 'http://198.51.100.7:9000', 'key-of-m', 'secret'], 'refused towards 198.51.100.7'],
])('%j is refused by its name', async (args, named) => {
  const { code, stderr } = await mc(args);
  expect([code, stderr]).toEqual([64, expect.stringContaining(named)]);
});
