import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { program } from '../support/programs.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { LeanClient } from './lean-client.ts';
import { checkNoOrphans } from './orphans.ts';

const KiB = 1024;
const gcc = program('gcc');
const able = gcc !== undefined && process.platform === 'linux';

/** Writes and syncs fail at random below the data directory, by a library that is loaded into the server. */
skipUnless(able, 'gcc is not installed, or this is not Linux: it makes the library that fails writes')(
  'a disk that fails',
  () => {
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

    const start = async (env: Record<string, string> = {}) => {
      server = await startServer({ data: data.path, env });
      client = new LeanClient(server, 8);
    };
    const shim = () => {
      const library = join(directory.path, 'eio.so');
      const source = join(import.meta.dirname, 'eio.c');
      execFileSync(gcc ?? '', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
      return { LD_PRELOAD: library, EIO_SWITCH: breaks, EIO_BELOW: data.path, EIO_PERCENT: '10' };
    };
    const change = async (key: string, bytes: Buffer | undefined): Promise<number> => {
      const entry = known.get(key) ?? { kept: undefined, tried: [] };
      known.set(key, entry);
      entry.tried.push(bytes);
      const { status } = await client.send(bytes === undefined ? 'DELETE' : 'PUT', `/failing/${key}`, bytes);
      if (status === 200 || status === 204) {
        entry.kept = bytes;
        entry.tried.length = 0;
      }
      return status;
    };
    /** What is read is what was acknowledged last, or what was tried since; whole in either case. */
    const check = async (key: string, whileBroken = false) => {
      const entry = known.get(key);
      const { status, body } = await client.send('GET', `/failing/${key}`);
      const found = status === 404 ? undefined : body;
      // LMDB refuses everything, reads too, once its root page could not be written: no answer, but no wrong one.
      if (whileBroken && status === 500) return;
      expect([200, 404]).toContain(status);
      const allowed = [entry?.kept, ...(entry?.tried ?? [])];
      const fits = allowed.some((one) => (one === undefined ? found === undefined : found?.equals(one) === true));
      expect(fits, `${key}: ${found?.length} bytes are none of ${allowed.map((one) => one?.length)}`).toBe(true);
    };
    const load = async (rounds: number, broken = false): Promise<number> => {
      let failed = 0;
      const worker = async (number: number) => {
        for (let round = 0; round < rounds; round += 1) {
          const key = `k${number}-${round % 7}`;
          const size = [0, 500, 20 * KiB, 40 * KiB, 700 * KiB][(number + round) % 5] ?? 0;
          const status = await change(key, round % 6 === 5 ? undefined : randomBytes(size));
          if (status >= 300) {
            failed += 1;
            expect(status).toBeGreaterThanOrEqual(500);
          }
          await check(key, broken);
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, number) => worker(number)));
      return failed;
    };

    it('fails requests, never what was acknowledged, and leaves nothing behind after a restart', {
      timeout: 120_000,
    }, async () => {
      await start(shim());
      expect((await client.send('PUT', '/failing')).status).toBe(200);
      expect(await load(7)).toBe(0);
      await writeFile(breaks, '');
      expect(await load(30, true)).toBeGreaterThan(0);
      await rm(breaks);
      // Either it goes on by itself, or it says that it cannot: then it is not ready, and a restart mends it.
      const ready = await fetch(`${server.adminUrl}/readyz`);
      expect([200, 503]).toContain(ready.status);
      for (const key of known.keys()) await check(key, ready.status === 503);
      client.close();
      await server.stop('SIGKILL');
      await start();
      for (const key of known.keys()) await check(key);
      expect(await load(7)).toBe(0);
      expect((await server.stop()).code).toBe(0);
      await checkNoOrphans(data.path);
    });
  },
);
