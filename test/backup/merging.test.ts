import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mergeFirst, mergeNothing, type Snapshot } from '../../src/backup/index.ts';
import { MergeBeside } from '../../src/backup/layers/merger.ts';
import { restore } from '../../src/backup/restore.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { backUpOne, clientOf, freshStore, type OneSource } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { checkEnvironment, contentOf, libmdbxMissing, write } from '../support/mdbx.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const noMdbx = libmdbxMissing();
suite('the embedded server', noMdbx, testEndpoint);
suite('Ceph RGW', rgwMissing() ?? noMdbx, startRgw);

const layersOf = ({ content }: Snapshot) => (content.kind === 'mdbx' ? content.layers : []);

function suite(name: string, missing: string | undefined, start: () => Promise<DisposableEndpoint>): void {
  skipUnless(missing === undefined, missing ?? '')(`increments of an environment on ${name}`, () => {
    let endpoint: DisposableEndpoint;
    let client: ObjectClient;
    beforeAll(async () => {
      endpoint = await start();
      client = clientOf(endpoint);
    }, 150_000);
    afterAll(async () => {
      client?.close();
      await endpoint?.[Symbol.asyncDispose]();
    }, 60_000);

    test('are merged, and every snapshot still is what was committed', { timeout: 240_000 }, async () => {
      await using directory = await temporaryDirectory('merge');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      await write(path, { pageSize: 4096, seed: 1, commits: 80, changes: 300, mode: 'nosync', keys: 20_000 });
      const made: { snapshot: Snapshot; sum: bigint | undefined }[] = [];
      const requests: number[] = [];
      for (let round = 0; round < 14; round++) {
        const before = store.storage.requests;
        const commits = await write(path, { pageSize: 4096, seed: 2 + round, commits: 2, changes: 1, keys: 20_000 });
        const snapshot = await backUpOne(store, source, { merger: mergeFirst });
        made.push({ snapshot, sum: commits.at(-1)?.sum });
        requests.push(store.storage.requests - before);
      }
      // Opening the repository and the lease are seven more: no more than 20 of the mean, merging included.
      expect(requests.reduce((sum, count) => sum + count, 0) / requests.length).toBeLessThan(13);
      expect(requests.filter((count) => count > 13).length).toBeLessThanOrEqual(requests.length / 4);
      const lengths = made.map(({ snapshot }) => layersOf(snapshot).length);
      // Without merging: 1 to 14.
      expect(Math.max(...lengths)).toBeLessThanOrEqual(8);
      expect(made.some(({ snapshot }) => layersOf(snapshot).some(({ level }) => level > 0))).toBe(true);
      // Every third, and the newest: the others are made of the same layers.
      for (const { snapshot, sum } of made.filter((_, index) => index % 3 === 1)) {
        const target = join(directory.path, `restored-${snapshot.id}`);
        await restore({ store, snapshot, target, force: false });
        await checkEnvironment(target);
        expect((await contentOf(target)).sum).toBe(sum);
      }
    });

    test('are folded into the whole layer when they hold much of it, reading the repository alone', {
      timeout: 120_000,
    }, async () => {
      await using directory = await temporaryDirectory('fold');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      await write(path, { pageSize: 4096, seed: 1, commits: 40, changes: 300, mode: 'nosync', keys: 5000 });
      let last: Snapshot | undefined;
      let sum: bigint | undefined;
      for (let round = 0; round < 5; round++) {
        sum = (await write(path, { pageSize: 4096, seed: 2 + round, commits: 5, changes: 100, keys: 5000 })).at(
          -1,
        )?.sum;
        last = await backUpOne(store, source, { merger: mergeNothing });
      }
      if (last === undefined) throw new Error('no snapshot');
      expect(layersOf(last)).toHaveLength(5);
      const beside = new MergeBeside();
      if (last.content.kind === 'mdbx') beside.begin(store, last.content, undefined);
      expect(await beside.settled()).toBeUndefined();
      const folded = await backUpOne(store, source, { merger: beside.merger });
      expect(layersOf(folded)).toHaveLength(2);
      expect(folded.read).toBeLessThan(last.read);
      const target = join(directory.path, 'restored');
      await restore({ store, snapshot: folded, target, force: false });
      await checkEnvironment(target);
      expect((await contentOf(target)).sum).toBe(sum);
    });

    test('that are damaged are stored whole by the next snapshot', { timeout: 60_000 }, async () => {
      await using directory = await temporaryDirectory('damaged');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      let last: Snapshot | undefined;
      for (let round = 0; round < 5; round++) {
        await write(path, { pageSize: 4096, seed: round, commits: 5, changes: 100 });
        last = await backUpOne(store, source, { merger: mergeNothing });
      }
      const [whole] = last === undefined ? [] : layersOf(last);
      if (whole === undefined) throw new Error('no layer');
      await store.remove(`documents/${whole.name}`);
      const next = await backUpOne(store, source, { merger: mergeFirst });
      expect(layersOf(next)).toHaveLength(1);
      await restore({ store, snapshot: next, target: join(directory.path, 'restored'), force: false });
      await checkEnvironment(join(directory.path, 'restored'));
    });
  });
}
