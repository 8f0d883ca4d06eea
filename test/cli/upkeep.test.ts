/** `fsck`, `compact`, `index backup` and `index restore`, beside a server of two processes and without one. */
import { mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { LeanClient } from '../fault/lean-client.ts';
import { bodyFiles } from '../fault/orphans.ts';
import { bytesOf } from '../support/content.ts';
import { cleanEnvironment } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const KiB = 1024;
const report = z.object({
  findings: z.array(z.object({ id: z.string(), status: z.string(), subject: z.string() })),
});

/** Each command is a process of its own, and the machine may be busy. */
const PATIENCE = { timeout: 180_000 };

let directory: TemporaryDirectory;
let data: string;
let server: TestServer;
let client: LeanClient;
beforeAll(async () => {
  directory = await temporaryDirectory('upkeep');
  data = join(directory.path, 'data');
  await mkdir(data);
  await start('--processes', '2');
});
afterAll(async () => {
  await stop();
  await directory.remove();
});

async function start(...args: string[]): Promise<void> {
  server = await startServer({ data, args, env: { BUCKETWRIGHT_BUCKETS: 'photos' } });
  client = new LeanClient(server, 4);
}
async function stop(): Promise<void> {
  client?.close();
  await server?.stop();
}
function bucketwright(...args: readonly string[]) {
  const env = cleanEnvironment({ NO_COLOR: '1', BUCKETWRIGHT_DATA: data });
  return run(process.execPath, [commandLine, ...args], { cwd: directory.path, env, allow: [0, 1, 2, 64, 78] });
}
async function fsck(...args: readonly string[]) {
  const { code, stdout } = await bucketwright('fsck', '--json', ...args);
  const { findings } = report.parse(JSON.parse(stdout));
  return { code, wrong: findings.filter(({ status }) => status === 'fail' || status === 'warn'), findings };
}
async function put(key: string, size: number): Promise<void> {
  expect((await client.send('PUT', `/photos/${key}`, bytesOf(key, size))).status).toBe(200);
}
async function get(key: string): Promise<string> {
  const { status, body } = await client.send('GET', `/photos/${key}`);
  if (status !== 200) return String(status);
  return body.equals(bytesOf(key, body.length)) ? 'whole' : 'other bytes';
}

test('beside a running server: reads, copies the index, and changes nothing', PATIENCE, async () => {
  for (let number = 0; number < 20; number += 1) await put(`small-${number}`, 20 * KiB);
  for (let number = 0; number < 4; number += 1) await put(`large-${number}`, 100 * KiB);
  const beside = await fsck();
  expect(beside).toMatchObject({ code: 0, wrong: [] });
  expect(beside.findings.map(({ status }) => status)).toContain('skip');
  for (const args of [
    ['fsck', '--repair'],
    ['compact'],
    ['index', 'restore', join(directory.path, 'copy'), '--apply'],
  ]) {
    const refused = await bucketwright(...args);
    expect([refused.code, refused.stderr], args.join(' ')).toEqual([1, expect.stringContaining(String(server.pid))]);
  }
  // While writes go on.
  let copied = false;
  const writing = (async () => {
    for (let number = 0; !copied; number += 1) await put(`meanwhile-${number % 50}`, 1000);
  })();
  const copy = join(directory.path, 'copy');
  const backup = await bucketwright('index', 'backup', copy, '--json');
  copied = true;
  await writing;
  expect(JSON.parse(backup.stdout)).toMatchObject({ directory: copy });
  for (const path of [copy, join(copy, 'data.mdb')]) expect((await stat(path)).mode & 0o077, path).toBe(0);
  expect((await bucketwright('index', 'backup', copy)).code).toBe(1);
  await put('after-the-copy', 60 * KiB);
});

test('a read of everything keeps to the rate that was asked for', PATIENCE, async () => {
  const began = performance.now();
  // 800 KiB at 400 KiB a second: two seconds, less the last piece, which nothing waits for.
  expect((await fsck('--rate', '400KiB')).code).toBe(0);
  expect(performance.now() - began).toBeGreaterThan(1500);
  expect((await bucketwright('fsck', '--rate', 'fast')).code).toBe(64);
});

test('with the server stopped: names damage, repairs only what belongs to nothing', PATIENCE, async () => {
  await stop();
  expect(await fsck()).toMatchObject({ code: 0, wrong: [] });
  const files = (await bodyFiles(data)).sort();
  const [file = ''] = files;
  const handle = await open(join(data, file), 'r+');
  await handle.write(Buffer.from('damage'), 0, 6, 50_000);
  await handle.close();
  const orphan = join(data, dirname(file), '00009999');
  await writeFile(orphan, 'nobody');
  const found = await fsck();
  expect(found.code).toBe(2);
  expect(found.wrong).toEqual([
    expect.objectContaining({ id: 'body-damaged', status: 'fail' }),
    expect.objectContaining({ id: 'orphan-file', status: 'warn' }),
  ]);
  expect((await fsck('--quick')).wrong.map(({ id }) => id)).toEqual(['orphan-file']);
  expect((await bucketwright('fsck', '--repair')).stderr).toContain('1 repaired');
  await expect(stat(orphan)).rejects.toMatchObject({ code: 'ENOENT' });
  expect((await readdir(join(data, 'lost+found'), { recursive: true })).join()).toContain('00009999');
  const after = await fsck();
  expect(after.wrong.map(({ id }) => id)).toEqual(['body-damaged']);
  await start('--processes', '2');
  const damaged = after.wrong[0]?.subject.replace('photos/', '') ?? '';
  await expect(get(damaged)).resolves.toBe('500');
  expect((await client.send('DELETE', `/photos/${damaged}`)).status).toBe(204);
  for (let number = 0; number < 20; number += 1) {
    expect((await client.send('DELETE', `/photos/small-${number}`)).status).toBe(204);
  }
  await stop();
  expect(await fsck()).toMatchObject({ code: 0, wrong: [] });
});

test('the index shrinks, and goes back to its copy and forth again', PATIENCE, async () => {
  const compacted: unknown = JSON.parse((await bucketwright('compact', '--json')).stdout);
  const { before, after } = z.object({ before: z.number(), after: z.number() }).parse(compacted);
  expect(after).toBeLessThan(before);
  const copy = join(directory.path, 'copy');
  const plan = await bucketwright('index', 'restore', copy);
  expect(plan).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing was changed') });
  await start();
  expect(await get('small-3')).toBe('404');
  expect(await get('after-the-copy')).toBe('whole');
  await stop();
  const restored = await bucketwright('index', 'restore', copy, '--apply');
  expect(restored.code).toBe(0);
  const kept = /kept\s+(\S+)/.exec(restored.stdout)?.[1] ?? '';
  await start();
  // Small objects are in the index itself, so their deletion is undone.
  expect(await get('small-3')).toBe('whole');
  expect(await get('after-the-copy')).toBe('404');
  await stop();
  expect((await bucketwright('index', 'restore', kept, '--apply')).code).toBe(0);
  await start();
  expect(await get('small-3')).toBe('404');
  expect(await get('after-the-copy')).toBe('whole');
  await stop();
  expect(await fsck()).toMatchObject({ code: 0, wrong: [] });
});
