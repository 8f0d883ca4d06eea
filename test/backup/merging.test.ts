import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  mergeFirst,
  mergeNothing,
  Repository,
  type Snapshot,
  type SourceStore,
  takeLease,
} from '../../src/backup/index.ts';
import { MergeBeside } from '../../src/backup/layers/merger.ts';
import { restore } from '../../src/backup/restore.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { MiB } from '../../src/core/sizes.ts';
import { backUpOne, clientOf, freshStore, type OneSource, opener } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { checkEnvironment, contentOf, libmdbxMissing, write } from '../support/mdbx.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const noMdbx = libmdbxMissing();
suite('the embedded server', noMdbx, testEndpoint);
suite('Ceph RGW', rgwMissing() ?? noMdbx, startRgw);

const layersOf = (snapshot: Snapshot | undefined) => (snapshot?.content.kind === 'mdbx' ? snapshot.content.layers : []);

function suite(name: string, missing: string | undefined, start: () => Promise<DisposableEndpoint>): void {
  skipUnless(missing === undefined, missing ?? '')(`increments of an environment on ${name}`, () => {
    let endpoint: DisposableEndpoint;
    let proxy: FaultProxy;
    let client: ObjectClient;
    beforeAll(async () => {
      endpoint = await start();
      proxy = await startFaultProxy(endpoint);
      client = clientOf(proxy);
    }, 150_000);
    afterAll(async () => {
      client?.close();
      await proxy?.[Symbol.asyncDispose]();
      await endpoint?.[Symbol.asyncDispose]();
    }, 60_000);

    /** All that `backup run` asks for: the repository is opened, the lease taken, what is due merged, a snapshot stored. */
    async function runOnce(before: SourceStore, source: OneSource) {
      proxy.reset();
      const store = (await Repository.open(before.storage.place, opener)).source(before.source);
      const lease = await takeLease(store, { purpose: 'test' });
      const snapshot = await backUpOne(store, source, { merger: mergeFirst });
      await lease.release();
      return { snapshot, requests: proxy.requests.length };
    }

    test('are merged, and every snapshot still is what was committed', { timeout: 240_000 }, async () => {
      await using directory = await temporaryDirectory('merge');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      await write(path, { pageSize: 4096, seed: 1, commits: 80, changes: 300, mode: 'nosync', keys: 20_000 });
      const made: { snapshot: Snapshot; sum: bigint | undefined }[] = [];
      const requests: number[] = [];
      for (let round = 0; round < 14; round++) {
        const commits = await write(path, { pageSize: 4096, seed: 2 + round, commits: 2, changes: 1, keys: 20_000 });
        const one = await runOnce(store, source);
        made.push({ snapshot: one.snapshot, sum: commits.at(-1)?.sum });
        requests.push(one.requests);
      }
      expect(Math.max(...requests)).toBeLessThanOrEqual(20);
      expect(Math.min(...requests.slice(1))).toBeLessThanOrEqual(12);
      const lengths = made.map(({ snapshot }) => layersOf(snapshot).length);
      // Without merging: 1 to 14.
      expect(Math.max(...lengths)).toBeLessThanOrEqual(7);
      expect(made.some(({ snapshot }) => layersOf(snapshot).some(({ level }) => level > 0))).toBe(true);
      // Every third, and the newest: the others are made of the same layers.
      for (const { snapshot, sum } of made.filter((_, index) => index % 3 === 1)) {
        const target = join(directory.path, `restored-${snapshot.id}`);
        await restore({ store, snapshot, target, force: false });
        await checkEnvironment(target);
        expect((await contentOf(target)).sum).toBe(sum);
      }
    });

    test('of much of a large environment are folded within the requests that its bytes may cost', {
      timeout: 120_000,
    }, async () => {
      await using directory = await temporaryDirectory('budget');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      await write(path, { pageSize: 4096, seed: 1, commits: 100, changes: 2000, mode: 'nosync', keys: 150_000 });
      let sum: bigint | undefined;
      let last: Snapshot | undefined;
      let wholes = 0;
      for (let round = 0; round < 8; round++) {
        sum = (await write(path, { pageSize: 4096, seed: 2 + round, commits: 3, changes: 1500, keys: 150_000 })).at(
          -1,
        )?.sum;
        const before = layersOf(last)[0]?.name;
        const { snapshot, requests } = await runOnce(store, source);
        const moved = proxy.bytes / MiB;
        expect(requests).toBeLessThanOrEqual(Math.ceil(moved / 16) + 20);
        wholes += before === layersOf(snapshot)[0]?.name ? 0 : 1;
        last = snapshot;
      }
      if (last === undefined) throw new Error('no snapshot');
      // The first snapshot's, and one that increments were folded into.
      expect(wholes).toBeGreaterThan(1);
      const target = join(directory.path, 'restored');
      await restore({ store, snapshot: last, target, force: false });
      await checkEnvironment(target);
      expect((await contentOf(target)).sum).toBe(sum);
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
      const [whole] = layersOf(last);
      let folded = last;
      // Four increments become two, these and another one become one, and that is folded.
      for (let run = 0; run < 3; run++) {
        expect(layersOf(folded)[0]).toEqual(whole);
        if (folded.content.kind === 'mdbx') beside.begin(store, folded.content, undefined);
        expect(await beside.settled()).toBeUndefined();
        folded = await backUpOne(store, source, { merger: beside.merger });
      }
      expect(layersOf(folded)).toHaveLength(2);
      expect(layersOf(folded)[0]).not.toEqual(whole);
      expect(folded.read).toBeLessThan(last.read);
      const target = join(directory.path, 'restored');
      await restore({ store, snapshot: folded, target, force: false });
      await checkEnvironment(target);
      expect((await contentOf(target)).sum).toBe(sum);
    });

    test('that turn out damaged when they are merged are stored whole by the next snapshot', {
      timeout: 60_000,
    }, async () => {
      await using directory = await temporaryDirectory('damaged');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      let last: Snapshot | undefined;
      for (let round = 0; round < 5; round++) {
        await write(path, { pageSize: 4096, seed: round, commits: 5, changes: 100 });
        last = await backUpOne(store, source, { merger: mergeNothing });
      }
      const [, increment] = layersOf(last);
      if (increment === undefined) throw new Error('no layer');
      await store.remove(`documents/${increment.name}`);
      const next = await backUpOne(store, source, { merger: mergeFirst });
      expect(layersOf(next)).toHaveLength(1);
      await restore({ store, snapshot: next, target: join(directory.path, 'restored'), force: false });
      await checkEnvironment(join(directory.path, 'restored'));
    });
  });
}
