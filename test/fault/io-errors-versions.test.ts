import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { BROKEN, canFailWrites, failingDisk, whyNot } from './failing-disk.ts';
import { digest } from './history.ts';
import { answered, type LeanAnswer, LeanClient } from './lean-client.ts';
import { checkNoOrphans } from './orphans.ts';
import { uploadParts } from './upload-parts.ts';
import { listVersions } from './versions.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const CLIENTS = 8;

/** What one client knows of a key in a bucket with versioning, while changes of it fail again and again. */
interface Known {
  /** Acknowledged versions, oldest first. */
  kept: { readonly id: string; readonly content: string }[];
  /** Contents of those that were not acknowledged: each may be there or not. */
  readonly tried: Set<string>;
  /** Versions whose removal was not acknowledged, and those whose was. */
  readonly removing: Set<string>;
  readonly removed: Set<string>;
}

skipUnless(canFailWrites, whyNot)('a disk that fails under versions and parts', () => {
  it.each([
    ['one process', []],
    ['two processes', ['--processes', '2']],
  ])('loses no acknowledged version in %s, and shows no torn one', { timeout: 240_000 }, async (_, args) => {
    await using directory = await temporaryDirectory('eio-versions');
    await using place = await temporaryDirectory('eio-versions-data');
    const data = place.path;
    const breaks = join(directory.path, 'break');
    const keys = new Map<string, Known>();
    const env = failingDisk({ directory: directory.path, data, breaks, percent: 4 });
    let server = await startServer({ data, env, args });
    let client = new LeanClient(server, CLIENTS);
    let failed = 0;

    const hasEnded = () => server.output().includes(BROKEN);
    const beginAgain = async () => {
      server = await startServer({ data, env, args });
      client = new LeanClient(server, CLIENTS);
    };
    const end = async (signal?: 'SIGKILL') => {
      client.close();
      return server.stop(signal);
    };

    const change = async (key: string, known: Known) => {
      const dice = Math.random();
      const victim = known.kept[Math.floor(Math.random() * known.kept.length)];
      if (victim !== undefined && (known.kept.length > 6 || dice < 0.15)) {
        known.removing.add(victim.id);
        await answered(client.send('DELETE', `/failing/${key}?versionId=${victim.id}`), 204);
        known.kept = known.kept.filter(({ id }) => id !== victim.id);
        known.removing.delete(victim.id);
        known.removed.add(victim.id);
        return;
      }
      const add = async (content: string, make: () => Promise<LeanAnswer>) => {
        known.tried.add(content);
        const { versionId: id = '' } = await make();
        known.kept = [...known.kept, { id, content }];
        // A delete marker is as any other.
        if (content !== 'marker') known.tried.delete(content);
      };
      if (dice < 0.3) return add('marker', () => answered(client.send('DELETE', `/failing/${key}`), 204));
      if (dice < 0.4) {
        const parts = [randomBytes(5 * MiB), randomBytes(50 * KiB)];
        const complete = await uploadParts(client, `/failing/${key}`, parts);
        return add(digest(Buffer.concat(parts)), complete);
      }
      const bytes = randomBytes([300, 20 * KiB, 40 * KiB, 700 * KiB][Math.floor(Math.random() * 4)] ?? 0);
      return add(digest(bytes), () => answered(client.send('PUT', `/failing/${key}`, bytes), 200));
    };
    const load = async (rounds: number) => {
      const worker = async (number: number) => {
        for (let round = 0; round < rounds && !hasEnded(); round += 1) {
          const key = `k${number}-${round % 2}`;
          const known = keys.get(key) ?? { kept: [], tried: new Set(), removing: new Set(), removed: new Set() };
          keys.set(key, known);
          await change(key, known).catch(() => {
            failed += 1;
          });
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, (__, number) => worker(number)));
    };

    /** With nothing failing: what is there is what was acknowledged, in its order, and perhaps what was tried. */
    const check = async () => {
      const seen = new Map<string, { id: string; content: string }[]>([...keys.keys()].map((key) => [key, []]));
      for (const { marker, key, id } of (await listVersions(client, '/failing', 'k')).toReversed()) {
        const got = () => answered(client.send('GET', `/failing/${key}?versionId=${id}`), 200);
        seen.get(key)?.push({ id, content: marker ? 'marker' : digest((await got()).body) });
      }
      for (const [key, known] of keys) {
        const versions = seen.get(key) ?? [];
        const there = new Set(versions.map(({ id }) => id));
        const ids = new Set(known.kept.map(({ id }) => id));
        const expected = known.kept.filter(({ id }) => there.has(id) || !known.removing.has(id));
        expect(
          versions.filter(({ id }) => ids.has(id)),
          key,
        ).toEqual(expected);
        for (const { id, content } of versions) {
          expect(known.removed.has(id), `${key} ${id} came back`).toBe(false);
          if (!ids.has(id)) expect(known.tried, key).toContain(content);
        }
        known.kept = versions;
        known.tried.clear();
        known.removing.clear();
      }
    };

    try {
      await answered(client.send('PUT', '/failing'), 200);
      const body = Buffer.from('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
      await answered(client.send('PUT', '/failing?versioning=', body), 200);
      for (let round = 0; round < 3; round += 1) {
        await load(4);
        expect(failed, `failed before anything did, in round ${round}`).toBe(0);
        await check();
        await writeFile(breaks, '');
        await load(20);
        await rm(breaks);
        expect(failed).toBeGreaterThan(0);
        failed = 0;
        await end('SIGKILL');
        await beginAgain();
        await check();
      }
      await load(5);
      expect(failed).toBe(0);
      await check();
      expect((await end()).code).toBe(0);
    } finally {
      await end('SIGKILL');
    }
    await checkNoOrphans(data);
  });
});
