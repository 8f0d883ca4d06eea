/** docs/how-to/artifacts.md as it goes: CI pushes, staging pulls, production follows, and goes back. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MiB } from '../../src/core/sizes.ts';
import { clientOf } from '../support/backup.ts';
import { bucketName, cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';
import { runOnTerminal, terminalMissing } from '../support/terminal.ts';
import { settingsFor } from './serve.ts';

const bucket = bucketName('cli');
let endpoint: DisposableEndpoint;
let directory: TemporaryDirectory;
const at = (name: string) => join(directory.path, name);

beforeAll(async () => {
  endpoint = await testEndpoint();
  directory = await temporaryDirectory('artifact');
  const client = clientOf(endpoint);
  await client.createBucket(bucket);
  client.close();
  const pair = generateKeyPairSync('ed25519');
  await writeFile(at('key.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(at('key.pub'), pair.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(at('bom.json'), '{"bomFormat":"CycloneDX"}');
  await mkdir(at('dist'));
}, 60_000);
afterAll(async () => {
  await endpoint?.[Symbol.asyncDispose]();
  await directory?.remove();
});

/** A command that must end with `code`. @returns what it said on both */
async function artifact(code: number, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, [commandLine, 'artifact', ...args], {
    cwd: directory.path,
    env: cleanEnvironment(settingsFor(endpoint, 'embedded', bucket)),
    allow: [code],
  });
  return stdout + stderr;
}
const program = async (name: string, script: string) => {
  await writeFile(at(name), `#!/bin/sh\n${script}\n`);
  await chmod(at(name), 0o755);
  return at(name);
};

test('from CI to production, and back', { timeout: 240_000 }, async () => {
  const orders = 'projections/orders';
  const trust = ['--trust', 'key.pub'];
  await writeFile(at('dist/orders.js'), 'one');
  expect(await artifact(0, 'push', `${orders}:1.4.1`, 'dist', '--revision', 'abc')).toContain('pushed; ');
  await artifact(0, 'promote', `${orders}:1.4.1`, 'production', '--by', 'ci', '--reason', 'first release');
  await writeFile(at('dist/orders.js'), 'two');
  const labels = ['--label', 'team=orders'];
  await artifact(0, 'push', `${orders}:1.4.2`, 'dist', '--revision', 'def', '--creator', 'ci', ...labels);
  expect(await artifact(0, 'push', `${orders}:1.4.2`, 'dist')).toContain('nothing had to be sent');
  await writeFile(at('dist/more'), 'more');
  expect(await artifact(1, 'push', `${orders}:1.4.2`, 'dist')).toContain('1.4.2');
  await artifact(0, 'sign', `${orders}:1.4.2`, '--key', 'key.pem', '--sbom', 'bom.json');
  await artifact(0, 'promote', `${orders}:1.4.2`, 'staging');

  expect(await artifact(0, 'pull', `${orders}@staging`, '--to', 'srv/staging', ...trust)).toContain(
    'in place, checked',
  );
  expect(await readFile(at('srv/staging/orders.js'), 'utf8')).toBe('two');
  expect(await artifact(0, 'sbom', `${orders}@staging`, ...trust, '--print')).toBe('{"bomFormat":"CycloneDX"}');
  expect(await artifact(0, 'list')).toBe(`${orders}\n`);
  expect((await artifact(0, 'list', orders)).split('\n').map((line) => line.split(' ')[0])).toEqual([
    '1.4.1',
    '1.4.2',
    '',
  ]);
  expect(await artifact(0, 'show', orders)).toMatch(/^projections\/orders: 2 versions, 2 channels\n/);
  expect(await artifact(0, 'show', `${orders}@staging`)).toMatch(/creator {3}ci\n(?:.*\n)*channel {3}staging #1 /);
  expect(await artifact(2, 'diff', `${orders}@production`, `${orders}@staging`)).toContain(
    'revision abc → def\n~ orders.js\n',
  );
  expect(await artifact(0, 'diff', `${orders}:1.4.1`, `${orders}@production`)).toContain('the contents are equal');

  // Not without the check, not against what somebody else decided, and not unsigned.
  const forward = ['promote', `${orders}@staging`, 'production', '--expect', '1.4.1', '--by', 'alice', ...trust];
  const burns = await program('burns', 'exit 3');
  expect(await artifact(1, ...forward, '--require', burns)).toContain('exit code 3');
  const smoke = await program('smoke', 'echo "$BUCKETWRIGHT_ARTIFACT_VERSION" > smoked');
  expect(await artifact(0, ...forward, '--require', smoke)).toContain('now at 1.4.2 (#2)');
  expect(await readFile(at('smoked'), 'utf8')).toBe('1.4.2\n');
  expect(await artifact(1, 'promote', `${orders}:1.4.1`, 'production', '--expect', '1.4.1')).toContain('not at 1.4.1');
  expect(await artifact(77, 'promote', `${orders}:1.4.1`, 'production', ...trust)).toContain('not signed');

  const reload = await program('reload', 'cat "$BUCKETWRIGHT_ARTIFACT_PATH/orders.js" > reloaded');
  await artifact(0, 'watch', `${orders}@production`, '--to', 'srv/node', ...trust, '--once', '--', reload);
  expect(await readFile(at('reloaded'), 'utf8')).toBe('two');

  expect(await artifact(0, 'rollback', orders, 'production', '--by', 'alice', '--reason', 'errors')).toContain(
    'back at 1.4.1 (#3)',
  );
  expect((await artifact(0, 'history', orders, 'production')).split('\n')).toEqual([
    expect.stringMatching(/^#3 .* rollback {2}1\.4\.1 .*by alice: errors$/),
    expect.stringMatching(/^#2 .* promote {3}1\.4\.2 .*by alice$/),
    expect.stringMatching(/^#1 .* promote {3}1\.4\.1 .*by ci: first release$/),
    '',
  ]);
  expect(await artifact(77, 'pull', `${orders}@production`, '--to', 'srv/node', ...trust)).toContain('not signed');
  expect(await readFile(at('srv/node/orders.js'), 'utf8')).toBe('two');

  expect(await artifact(0, 'verify', '--content')).toContain('4 checks: 4 ok');
  expect(await artifact(0, 'gc')).toContain('0 actions planned');
  const url = (await artifact(0, 'url', `${orders}@staging`, '--method', 'HEAD')).trim();
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
  expect((await fetch(url)).status).toBe(403);
  expect(await artifact(64, 'url', `${orders}@staging`, '--method', 'PUT')).toContain('artifact grant');
});

skipUnless(terminalMissing() === undefined, terminalMissing() ?? '')('on a terminal', () => {
  test('a push and a pull show how far they are, and a script sees no bar', { timeout: 120_000 }, async () => {
    await writeFile(at('large.bin'), randomBytes(256 * MiB));
    const onTerminal = (...args: string[]) =>
      runOnTerminal([process.execPath, commandLine, 'artifact', ...args], [], {
        cwd: directory.path,
        env: cleanEnvironment(settingsFor(endpoint, 'embedded', bucket)),
      });
    const bar = (what: string) => new RegExp(`${what} \\[#*-*\\] \\d+% .* of 256 MiB, .*/s`);
    const pushed = await onTerminal('push', 'bundles/large:1.0.0', 'large.bin');
    expect(pushed.code).toBe(0);
    expect(pushed.screen).toMatch(bar('sending'));
    const pulled = await onTerminal('pull', 'bundles/large:1.0.0', '--to', 'srv/large');
    expect(pulled.code).toBe(0);
    expect(pulled.screen).toMatch(bar('pulling'));
    expect(await artifact(0, 'pull', 'bundles/large:1.0.0', '--to', 'srv/again')).not.toMatch(/\[#*-*\]|\u001b/);
  });
});
