import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { membersOf } from '../support/members.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { BROKEN, canFailWrites, failingDisk, whyNot } from './failing-disk.ts';
import { LeanClient } from './lean-client.ts';
import { checkNoOrphans } from './orphans.ts';

const KiB = 1024;
const CLIENTS = 8;

/** Writes and syncs fail at random below the data directory, by a library that is loaded into the server. */
skipUnless(canFailWrites, whyNot)('a disk that fails', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let data: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: TestServer;
  let client: LeanClient;
  let breaks: string;
  /** By key: what was acknowledged last (undefined: a delete), and what was tried since without an answer of success. */
  const known = new Map<string, { kept: Buffer | undefined; readonly tried: (Buffer | undefined)[] }>();

  beforeEach(async () => {
    directory = await temporaryDirectory('eio');
    data = await temporaryDirectory('eio-data');
    breaks = join(directory.path, 'break');
    known.clear();
  });
  afterEach(async () => {
    client.close();
    await server.stop('SIGKILL');
    await directory.remove();
    await data.remove();
  });

  const start = async (env: Record<string, string> = {}, args: readonly string[] = []) => {
    server = await startServer({ data: data.path, env, args });
    client = new LeanClient(server, CLIENTS);
  };
  const again = async () => {
    client.close();
    await server.stop('SIGKILL');
    await start();
  };
  const shim = (only = '', percent = 100) =>
    failingDisk({ directory: directory.path, data: data.path, breaks, only, percent });
  const hasEnded = () => server.output().includes(BROKEN);
  const send: LeanClient['send'] = (...request) =>
    client.send(...request).catch(async (error: unknown) => {
      await expect.poll(hasEnded, { timeout: 10_000, message: String(error) }).toBe(true);
      return { status: 503, etag: undefined, versionId: undefined, body: Buffer.alloc(0) };
    });
  const change = async (key: string, bytes: Buffer | undefined): Promise<number> => {
    const entry = known.get(key) ?? { kept: undefined, tried: [] };
    known.set(key, entry);
    entry.tried.push(bytes);
    const { status } = await send(bytes === undefined ? 'DELETE' : 'PUT', `/failing/${key}`, bytes);
    if (status === 200 || status === 204) {
      entry.kept = bytes;
      entry.tried.length = 0;
    }
    return status;
  };
  /** What is read is what was acknowledged last, or what was tried since; whole in either case. */
  const check = async (key: string) => {
    const entry = known.get(key);
    const { status, body } = await send('GET', `/failing/${key}`);
    const found = status === 404 ? undefined : body;
    if (status >= 500) {
      // Reads fail a moment before the server knows why.
      await expect.poll(hasEnded, { timeout: 10_000 }).toBe(true);
      return;
    }
    expect([200, 404]).toContain(status);
    const allowed = [entry?.kept, ...(entry?.tried ?? [])];
    const fits = allowed.some((one) => (one === undefined ? found === undefined : found?.equals(one) === true));
    expect(fits, `${key}: ${found?.length} bytes are none of ${allowed.map((one) => one?.length)}`).toBe(true);
  };
  const load = async (rounds: number): Promise<number> => {
    let failed = 0;
    const worker = async (number: number) => {
      for (let round = 0; round < rounds && !hasEnded(); round += 1) {
        const key = `k${number}-${round % 7}`;
        const size = [0, 500, 20 * KiB, 40 * KiB, 700 * KiB][(number + round) % 5] ?? 0;
        const status = await change(key, round % 6 === 5 ? undefined : randomBytes(size));
        if (status >= 300) {
          failed += 1;
          expect(status).toBeGreaterThanOrEqual(500);
        }
        await check(key);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, number) => worker(number)));
    return failed;
  };

  const checkAll = async () => {
    for (const key of known.keys()) await check(key);
  };
  /** With nothing failing any more. */
  const checkRecovered = async () => {
    await checkAll();
    expect(await load(7)).toBe(0);
    expect((await server.stop()).code).toBe(0);
    await checkNoOrphans(data.path);
  };

  it('now and then: fails requests, never what was acknowledged, and leaves nothing behind', {
    timeout: 120_000,
  }, async () => {
    await start(shim('', 10));
    expect((await client.send('PUT', '/failing')).status).toBe(200);
    expect(await load(7)).toBe(0);
    await writeFile(breaks, '');
    expect(await load(30)).toBeGreaterThan(0);
    await rm(breaks);
    // Either it goes on by itself, or it has ended.
    await checkAll();
    if (hasEnded()) expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    else expect((await fetch(`${server.adminUrl}/readyz`)).status).toBe(200);
    await again();
    await checkRecovered();
  });

  it('now and then, of two processes: the same, and one that the disk broke is replaced', {
    timeout: 180_000,
  }, async () => {
    await start(shim('', 10), ['--processes', '2']);
    expect((await client.send('PUT', '/failing')).status).toBe(200);
    expect(await load(7)).toBe(0);
    await writeFile(breaks, '');
    expect(await load(30)).toBeGreaterThan(0);
    await rm(breaks);
    let exit: unknown;
    void server.exited.then((end) => {
      exit = end;
    });
    client.close();
    client = new LeanClient(server, CLIENTS);
    const found = async () => exit ?? (await client.send('HEAD', '/failing').catch(() => undefined))?.status;
    // When it broke the index under the first process, all of them end, and the next start is the cure.
    await expect.poll(found, { timeout: 60_000 }).toSatisfy((seen) => seen === 200 || typeof seen === 'object');
    if (exit === undefined) await checkAll();
    else expect(exit).toEqual({ code: null, signal: 'SIGKILL' });
    await again();
    await checkRecovered();
  });

  it('at every sync of a body: answers at once that it failed, and goes on', { timeout: 120_000 }, async () => {
    await start(shim('body-sync'));
    expect((await client.send('PUT', '/failing')).status).toBe(200);
    expect(await load(2)).toBe(0);
    await writeFile(breaks, '');
    // Above 32 KiB a body is a file.
    const failing = Array.from({ length: 5 * CLIENTS }, (_, at) => change(`synced-${at}`, randomBytes(40 * KiB)));
    expect(new Set(await Promise.all(failing))).toEqual(new Set([500]));
    expect(await change('small', randomBytes(500))).toBe(200);
    await rm(breaks);
    expect(await load(2)).toBe(0);
    await checkRecovered();
  });

  it('at the root of the index: says so and ends, and starts anew with all that was acknowledged', {
    timeout: 120_000,
  }, async () => {
    await start(shim('root'));
    expect((await client.send('PUT', '/failing')).status).toBe(200);
    expect(await load(7)).toBe(0);
    await writeFile(breaks, '');
    expect(await load(2)).toBeGreaterThan(0);
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await rm(breaks);
    await again();
    await checkRecovered();
  });

  it('at the root of the index of one process of several: another takes its place', {
    timeout: 180_000,
  }, async () => {
    await start(shim('root'), ['--processes', '2']);
    expect((await client.send('PUT', '/failing')).status).toBe(200);
    expect(await load(7)).toBe(0);
    const before = membersOf(server.pid);
    await writeFile(breaks, '');
    expect(await load(2)).toBeGreaterThan(0);
    await rm(breaks);
    const fresh = () => membersOf(server.pid).filter((pid) => !before.includes(pid)).length;
    await expect.poll(fresh, { timeout: 60_000 }).toBeGreaterThan(0);
    await expect.poll(() => membersOf(server.pid).length, { timeout: 60_000 }).toBe(before.length);
    client.close();
    client = new LeanClient(server, CLIENTS);
    const found = async () => (await client.send('HEAD', '/failing').catch(() => undefined))?.status;
    await expect.poll(found, { timeout: 60_000 }).toBe(200);
    await again();
    await checkRecovered();
  });
});
