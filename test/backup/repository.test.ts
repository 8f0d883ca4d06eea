import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  applyPrune,
  drill,
  drillHistory,
  type Opener,
  planPrune,
  Repository,
  restore,
  verify,
} from '../../src/backup/index.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { DAY } from '../../src/core/durations.ts';
import { Secret } from '../../src/core/secret.ts';
import { backUpOne, clientOf, collect, freshPlace, freshStore, type OneSource, opener } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { checkEnvironment, contentOf, libmdbxMissing, mdbxCopy, startWriter, write } from '../support/mdbx.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const noMdbx = libmdbxMissing();
const noRgw = rgwMissing() ?? noMdbx;

suite('the embedded server', noMdbx, testEndpoint);
suite('Ceph RGW', noRgw, startRgw);

function suite(name: string, missing: string | undefined, start: () => Promise<DisposableEndpoint>): void {
  skipUnless(missing === undefined, missing ?? '')(`a backup repository on ${name}`, () => {
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

    test('keeps a live environment, and gives back each snapshot as it was committed', {
      timeout: 120_000,
    }, async () => {
      await using directory = await temporaryDirectory('backup');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      await write(path, { pageSize: 4096, seed: 1, commits: 100, changes: 300, mode: 'nosync', keys: 10_000 });
      const snapshots = [];
      await using writer = await startWriter(path, { pageSize: 4096, seed: 2, changes: 10, rate: 20, keys: 10_000 });
      for (let round = 0; round < 4; round++) snapshots.push(await backUpOne(store, source));
      await writer.stop();
      expect(snapshots.map(({ content }) => (content.kind === 'mdbx' ? content.layers.length : 0))).toEqual([
        1, 2, 3, 4,
      ]);
      expect(snapshots[3]?.added.raw ?? 0).toBeLessThan(snapshots[0]?.added.raw ?? 0);
      const again = (await Repository.open(store.storage.place, opener)).source('node');
      const committed = new Map(writer.commits.map(({ txnid, sum }) => [Number(txnid), sum]));
      for (const snapshot of snapshots.slice(1)) {
        const target = join(directory.path, `restored-${snapshot.id}`);
        await restore({ store: again, snapshot, target, force: false });
        await checkEnvironment(target);
        const txnid = snapshot.content.kind === 'mdbx' ? snapshot.content.txnid : 0;
        expect((await contentOf(target)).sum).toBe(committed.get(txnid));
      }
      const findings = await collect(verify({ store: again, share: 1, turn: 0 }));
      expect(findings.map(({ status }) => status)).not.toContain('fail');
      const trial = await collect(
        drill({
          store: again,
          scratch: directory.path,
          rto: 60_000,
          rpo: DAY,
          clock: { now: () => Date.now() },
        }),
      );
      expect(trial.map(({ id, status }) => [id, status])).toEqual([
        ['age', 'ok'],
        ['restore', 'ok'],
      ]);
      // Worse than its objectives, it is told and remembered so.
      const objectives = { rto: 0, rpo: 0, clock: { now: Date.now } };
      const worse = await collect(drill({ store: again, scratch: directory.path, ...objectives }));
      expect(worse.map(({ id, status }) => [id, status])).toEqual([
        ['age', 'fail'],
        ['restore', 'fail'],
      ]);
      expect((await collect(drillHistory(again))).map(({ ok }) => ok)).toEqual([false, true]);
    });

    test('takes a whole copy by mdbx_copy and an increment by the reader', { timeout: 60_000 }, async () => {
      await using directory = await temporaryDirectory('backup');
      const store = await freshStore(client, 'node');
      const path = join(directory.path, 'node');
      const source: OneSource = { kind: 'mdbx', path, scratch: directory.path };
      await write(path, { pageSize: 4096, seed: 1, commits: 30, changes: 100 });
      const first = await backUpOne(store, source, { method: 'auto', mdbxCopy });
      const commits = await write(path, { pageSize: 4096, seed: 2, commits: 3, changes: 10 });
      const second = await backUpOne(store, source, { method: 'auto', mdbxCopy });
      expect([first.method, second.method]).toEqual(['mdbx_copy', 'reader']);
      const target = join(directory.path, 'restored');
      await restore({ store, snapshot: second, target, force: false });
      await checkEnvironment(target);
      expect((await contentOf(target)).sum).toBe(commits.at(-1)?.sum);
    });

    test('keeps a plain directory, and reads only what changed', async () => {
      await using directory = await temporaryDirectory('backup');
      const store = await freshStore(client, 'tree');
      const root = join(directory.path, 'tree');
      await mkdir(join(root, 'deep/er'), { recursive: true });
      const large = Buffer.alloc(2_500_000, 'some bytes ');
      await writeFile(join(root, 'deep/large'), large);
      await writeFile(join(root, 'deep/er/empty'), '');
      await symlink('large', join(root, 'deep/link'));
      const source: OneSource = { kind: 'directory', path: root, scratch: directory.path };
      const first = await backUpOne(store, source);
      await writeFile(join(root, 'new'), 'new');
      const second = await backUpOne(store, source);
      expect([first.read, second.read]).toEqual([large.length, 3]);
      const target = join(directory.path, 'restored');
      await restore({ store, snapshot: second, target, force: false });
      expect((await readFile(join(target, 'deep/link'))).equals(large)).toBe(true);
      expect(await readFile(join(target, 'new'), 'utf8')).toBe('new');
      await expect(restore({ store, snapshot: second, target, force: false })).rejects.toMatchObject({
        code: 'target-exists',
      });
    });

    test('opens with its passphrase only, and with another one after a change', async () => {
      const place = await freshPlace(client);
      const repository = await Repository.init(place, opener);
      const other: Opener = { kind: 'passphrase', secret: new Secret('another passphrase') };
      await expect(Repository.open(place, other)).rejects.toMatchObject({ code: 'wrong-key' });
      await expect(Repository.init(place, other)).rejects.toMatchObject({ code: 'repository-exists' });
      await repository.removeOtherKeys(await repository.addKey(other));
      await Repository.open(place, other);
      await expect(Repository.open(place, opener)).rejects.toMatchObject({ code: 'wrong-key' });
    });

    test('tells what was flipped, cut off or removed, and which snapshot needs it', async () => {
      await using directory = await temporaryDirectory('backup');
      const store = await freshStore(client, 'tree');
      const root = join(directory.path, 'tree');
      await mkdir(root);
      await writeFile(join(root, 'file'), 'content');
      const snapshot = await backUpOne(store, { kind: 'directory', path: root, scratch: directory.path });
      const [pack] = await collect(store.list('packs/'));
      if (pack === undefined) throw new Error('no pack');
      const { bucket, prefix } = store.storage.place;
      const key = prefix + store.subject(pack.name);
      const whole = await store.readPack(pack.name.slice(-64), 0, pack.size);
      const flipped = Buffer.from(whole);
      flipped[40] = (flipped[40] ?? 0) ^ 1;
      for (const bytes of [flipped, whole.subarray(0, -1), undefined]) {
        if (bytes === undefined) await client.delete({ bucket, key });
        else await client.put({ bucket, key, body: { bytes } });
        const failed = (await collect(verify({ store, share: 1, turn: 0 }))).filter(({ status }) => status === 'fail');
        expect(JSON.stringify(failed)).toContain(snapshot.id);
        const target = join(directory.path, 'restored');
        await expect(restore({ store, snapshot, target, force: true })).rejects.toMatchObject({ code: 'damaged' });
      }
      const trial = await collect(drill({ store, scratch: directory.path, clock: { now: Date.now } }));
      expect(trial.at(-1)).toMatchObject({ id: 'restore', status: 'fail', found: expect.stringContaining(pack.name) });
      expect(await collect(drillHistory(store))).toMatchObject([{ ok: false, problem: expect.any(String) }]);
    });

    test('reads another share of the packs back each turn, and all in so many', async () => {
      await using directory = await temporaryDirectory('backup');
      const store = await freshStore(client, 'tree');
      const root = join(directory.path, 'tree');
      await mkdir(root);
      for (let round = 0; round < 5; round++) {
        await writeFile(join(root, 'file'), `content of ${round}`);
        await backUpOne(store, { kind: 'directory', path: root, scratch: directory.path }, { full: true });
      }
      const packs = await collect(store.list('packs/'));
      const [hurt] = packs;
      if (hurt === undefined) throw new Error('no pack');
      const key = store.storage.place.prefix + store.subject(hurt.name);
      const body = { bytes: Buffer.alloc(hurt.size, 'of the same length') };
      await client.put({ bucket: store.storage.place.bucket, key, body });
      let read = 0;
      let failed = 0;
      for (let turn = 7; turn < 11; turn++) {
        const findings = await collect(verify({ store, share: 0.25, turn }));
        failed += findings.filter(({ id }) => id === 'pack-bytes').length;
        read += Number(findings.find(({ id }) => id === 'packs-read')?.found.split(' ')[0]);
      }
      expect([packs.length, read, failed]).toEqual([5, 4, 1]);
    });

    test('is pruned by rules, of what nothing needs, and never of what is young', async () => {
      await using directory = await temporaryDirectory('backup');
      const store = await freshStore(client, 'tree');
      const root = join(directory.path, 'tree');
      await mkdir(root);
      const now = Date.now();
      const source: OneSource = { kind: 'directory', path: root, scratch: directory.path };
      for (let day = 3; day >= 0; day--) {
        await writeFile(join(root, `file-${day}`), `content of ${day}`);
        await backUpOne(store, source, { now: now - day * DAY, full: true });
      }
      const rules = { last: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0, within: 0 };
      expect((await planPrune(store, { rules, now })).objects).toEqual([]);
      // The objects are older than the grace two days on.
      const later = now + 2 * DAY;
      const plan = await planPrune(store, { rules, now: later });
      expect(plan.snapshots.map(({ reasons }) => reasons)).toEqual([['newest'], ['last'], [], []]);
      await applyPrune(store, plan, later);
      const left = await collect(store.snapshots());
      expect(left).toHaveLength(2);
      const findings = await collect(verify({ store, share: 1, turn: 0 }));
      expect(findings.filter(({ status }) => status === 'fail')).toEqual([]);
      expect((await planPrune(store, { rules, now: later })).objects).toEqual([]);
    });
  });
}
