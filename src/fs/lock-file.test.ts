import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeLock } from './lock-file.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bucketwright-lock-'));
  file = join(directory, 'LOCK');
});
afterEach(() => rm(directory, { recursive: true }));

it('is held by one, and free again after release', async () => {
  const lock = await takeLock(file);
  await expect(takeLock(file)).rejects.toMatchObject({
    code: 'data-directory-held',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  await lock.release();
  await (await takeLock(file)).release();
});

it('goes to exactly one of many who ask at once', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(file)));
  const won = asked.filter((one) => one.status === 'fulfilled');
  expect(won).toHaveLength(1);
});

it('is taken over from a process that is gone, though its pid may be in use again', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const lock = await takeLock(file);
  const mine: unknown = JSON.parse(await readFile(file, 'utf8'));
  await lock.release();
  if (typeof mine !== 'object' || mine === null) throw new Error('the lock names its holder');
  await writeFile(file, JSON.stringify({ ...mine, pid: child.pid, started: '1' }));
  await (await takeLock(file)).release();

  child.kill('SIGKILL');
  await once(child, 'exit');
  await writeFile(file, JSON.stringify({ ...mine, pid: child.pid }));
  await (await takeLock(file)).release();
});

it('is taken over by exactly one when the holder died and many start', async () => {
  await writeFile(file, JSON.stringify({ pid: 2 ** 22 + 1, started: '1', namespace: 'gone' }));
  const old = new Date(Date.now() - 60_000);
  await utimes(file, old, old);
  const asked = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(file)));
  expect(asked.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
});

it('held from another pid namespace counts while it is touched, and no longer', { timeout: 20_000 }, async () => {
  await writeFile(file, JSON.stringify({ pid: 1, started: '1', namespace: 'another container' }));
  await expect(takeLock(file)).rejects.toMatchObject({ code: 'data-directory-held' });
  // Nobody touches it any more.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await (await takeLock(file)).release();
});

it('is no obstacle when its content is torn', async () => {
  await writeFile(file, '{"pid":');
  await (await takeLock(file)).release();
});
