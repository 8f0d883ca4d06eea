/**
 * What a provider, the network and other people's hands do to a repository: it is told, nothing that is whole is lost, and
 * nothing wrong is restored.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  applyPrune,
  planPrune,
  Repository,
  restore,
  type Snapshot,
  type SourceStore,
  takeLease,
  verify,
} from '../../src/backup/index.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { DAY, HOUR } from '../../src/core/durations.ts';
import { MiB } from '../../src/core/sizes.ts';
import { backUpOne, clientOf, collect, freshStore, type OneSource, opener } from '../support/backup.ts';
import { type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { skipUnless } from '../support/skip.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

suite('the embedded server', undefined, testEndpoint);
suite('Ceph RGW', rgwMissing(), startRgw);

/** Bytes that do not pack, and are the same each time. */
function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = seed * 2654435761 + 1; at < length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
}

function suite(name: string, missing: string | undefined, start: () => Promise<DisposableEndpoint>): void {
  skipUnless(missing === undefined, missing ?? '')(`a repository behind a bad network, on ${name}`, () => {
    let endpoint: DisposableEndpoint;
    let proxy: FaultProxy;
    let client: ObjectClient;
    let directory: TemporaryDirectory;
    let store: SourceStore;
    let source: OneSource;
    const target = () => join(directory.path, 'restored');

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
    beforeEach(async () => {
      proxy.inject(() => undefined);
      directory = await temporaryDirectory('faults');
      store = await freshStore(client, 'tree');
      const path = join(directory.path, 'tree');
      await mkdir(path);
      await writeFile(join(path, 'first'), noise(3 * MiB, 1));
      source = { kind: 'directory', path, scratch: directory.path };
    });
    afterEach(() => directory.remove());

    const whole = async (snapshot: Snapshot) => {
      await restore({ store, snapshot, target: target(), force: true });
      return (await readFile(join(target(), 'first'))).equals(noise(3 * MiB, 1));
    };
    const only = (pattern: RegExp, fault: Fault, times = Number.POSITIVE_INFINITY) => {
      let left = times;
      proxy.inject(({ method, url }) => {
        if (left === 0 || !pattern.test(`${method} ${url}`)) return undefined;
        left -= 1;
        return fault;
      });
    };

    test('is written and read through 503s, resets, slowness and lost answers', { timeout: 60_000 }, async () => {
      const faults: readonly Fault[] = [
        { kind: 'status', status: 503 },
        { kind: 'reset' },
        { kind: 'delay', ms: 300 },
        { kind: 'lose-answer' },
        { kind: 'cut', after: 100 },
        { kind: 'cut-upload', after: 1000 },
      ];
      // Every third: the client repeats a request three times.
      proxy.inject(({ index, method }) => {
        const fault = index % 3 === 0 ? faults[(index / 3) % faults.length] : undefined;
        return fault?.kind === 'cut-upload' && method !== 'PUT' ? undefined : fault;
      });
      const snapshot = await backUpOne(store, source);
      expect(await whole(snapshot)).toBe(true);
      expect(await collect(store.names())).toHaveLength(1);
    });

    test('stores nothing when it cannot be reached, and goes on afterwards', { timeout: 60_000 }, async () => {
      const before = await backUpOne(store, source);
      await writeFile(join(source.path, 'second'), 'second');
      only(/^PUT/, { kind: 'reset' });
      await expect(backUpOne(store, source)).rejects.toMatchObject({ code: 'unreachable' });
      only(/^PUT/, { kind: 'status', status: 503 });
      await expect(backUpOne(store, source)).rejects.toMatchObject({ code: 'throttled' });
      proxy.inject(() => undefined);
      expect((await collect(store.names())).map(({ id }) => id)).toEqual([before.id]);
      const after = await backUpOne(store, source);
      expect(after.sequence).toBe(before.sequence + 1);
      expect(await whole(after)).toBe(true);
    });

    test('restores through connections that are lost in a body', { timeout: 60_000 }, async () => {
      const snapshot = await backUpOne(store, source);
      only(/^GET .*packs/, { kind: 'cut', after: 500_000 }, 2);
      expect(await whole(snapshot)).toBe(true);
    });

    test('names a pack that comes truncated or flipped, leaves nothing, and restores what does not need it', {
      timeout: 60_000,
    }, async () => {
      const before = await backUpOne(store, source);
      const [old] = await collect(store.list('packs/'));
      await writeFile(join(source.path, 'second'), noise(200_000, 2));
      const after = await backUpOne(store, source);
      const fresh = (await collect(store.list('packs/'))).find(({ name }) => name !== old?.name);
      if (fresh === undefined) throw new Error('no pack');
      for (const fault of [
        { kind: 'truncate', bytes: 1000 },
        { kind: 'flip', at: 5000 },
      ] as const) {
        only(new RegExp(`^GET .*${fresh.name}`), fault);
        const failed = restore({ store, snapshot: after, target: target(), force: true });
        await expect(failed).rejects.toMatchObject({ code: 'damaged', subject: expect.stringContaining(fresh.name) });
        const findings = await collect(verify({ store, share: 1, turn: 0 }));
        const bad = findings.filter(({ status }) => status === 'fail');
        expect(bad.map(({ found }) => found).join()).toContain(after.id);
        expect(bad.map(({ found }) => found).join()).not.toContain(before.id);
      }
      expect(await whole(before)).toBe(true);
    });

    test('refuses what was put in the place of something else', { timeout: 60_000 }, async () => {
      const snapshot = await backUpOne(store, source);
      await writeFile(join(source.path, 'second'), noise(3 * MiB, 3));
      const next = await backUpOne(store, source, { full: true });
      const [one, other] = await collect(store.list('packs/'));
      const names = await collect(store.names());
      const [newest, oldest] = names;
      if (one === undefined || other === undefined || newest === undefined || oldest === undefined) throw new Error();
      const { bucket, prefix } = store.storage.place;
      const move = async (from: string, to: string) => {
        const bytes = await store.storage.read(from);
        if (bytes === undefined) throw new Error(`no ${from}`);
        await client.put({ bucket, key: prefix + to, body: { bytes } });
      };
      // A snapshot of an earlier day as the newest, and one of another source.
      const later = newest.key.replace(/\/\d{10}/, '/9999999000');
      await move(store.subject(oldest.key), store.subject(later));
      const [forged] = await collect(store.names());
      expect(forged?.sequence).toBe(9_999_999_999 - 9_999_999_000);
      if (forged === undefined) throw new Error('not listed');
      await expect(store.readSnapshot(forged)).rejects.toMatchObject({ code: 'damaged' });
      const elsewhere = (await Repository.open(store.storage.place, opener)).source('other');
      await move(store.subject(oldest.key), elsewhere.subject(oldest.key));
      await expect(elsewhere.readSnapshot(oldest)).rejects.toMatchObject({ code: 'damaged' });
      await store.remove(later);
      // A pack under the name of another one: its blobs have other tags.
      await move(store.subject(one.name), 'kept');
      await move(store.subject(other.name), store.subject(one.name));
      for (const each of [snapshot, next]) {
        const failed = restore({ store, snapshot: each, target: target(), force: true });
        const outcome = await failed.then(
          () => 'restored',
          (error: { code: string }) => error.code,
        );
        if (outcome === 'restored') expect(await whole(each)).toBe(true);
        else expect(outcome).toBe('damaged');
      }
      const failed = (await collect(verify({ store, share: 1, turn: 0 }))).filter(({ status }) => status === 'fail');
      expect(failed.map(({ subject }) => subject).join()).toContain(one.name);
    });

    test('costs a request for each 16 MiB and less than 20 more, at any age', { timeout: 120_000 }, async () => {
      await writeFile(join(source.path, 'large'), noise(70 * MiB, 4));
      const counted = async () => {
        proxy.reset();
        const repository = await Repository.open(store.storage.place, opener);
        const lease = await takeLease(repository.source('tree'), { purpose: 'test' });
        await backUpOne(repository.source('tree'), source);
        await lease.release();
        return proxy.requests.length;
      };
      expect(await counted()).toBeLessThanOrEqual(Math.ceil(73 / 16) + 20);
      const second = await counted();
      expect(second).toBeLessThanOrEqual(20);
      for (let round = 0; round < 12; round++) {
        await writeFile(join(source.path, 'small'), `round ${round}`);
        await backUpOne(store, source);
      }
      await writeFile(join(source.path, 'small'), 'last');
      // One more than nothing: the pack of what changed.
      expect(await counted()).toBeLessThanOrEqual(second + 1);
      proxy.reset();
      await store.newest();
      expect(proxy.requests).toHaveLength(2);
    });

    test('broken off at any request, a run or prune leaves every listed snapshot whole, and the next one finishes', {
      timeout: 240_000,
    }, async () => {
      const rules = { last: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, within: 0 };
      // What is not needed is older than the time that it is left alone.
      const later = Date.now() + 2 * DAY;
      const pruned = async () => applyPrune(store, await planPrune(store, { rules, now: later }), later);
      const failures = async () => {
        const findings = await collect(verify({ store, share: 1, turn: 0 }));
        return findings.filter(({ status }) => status === 'fail');
      };
      let round = 0;
      const another = async () => {
        round += 1;
        await writeFile(join(source.path, 'second'), `round ${round}`);
        return backUpOne(store, source, { full: round % 2 === 0 });
      };
      await another();
      const works: readonly (() => Promise<unknown>)[] = [another, pruned];
      for (const work of works) {
        let reached = 0;
        for (let cut = 0; ; cut++) {
          if (work === pruned) for (let made = 0; made < 2; made++) await another();
          let seen = 0;
          // Never sent, or done and its answer lost; and no other gets through.
          proxy.inject(() => {
            seen += 1;
            if (seen <= cut) return undefined;
            return { kind: seen === cut + 1 && cut % 2 === 1 ? 'lose-answer' : 'reset' };
          });
          const ended = await work().then(
            () => true,
            () => false,
          );
          proxy.inject(() => undefined);
          expect(await failures(), `cut at ${cut}`).toEqual([]);
          await work();
          expect(await failures(), `after the one that was cut at ${cut}`).toEqual([]);
          if (ended) break;
          reached += 1;
        }
        expect(reached).toBeGreaterThan(4);
      }
      expect(await collect(store.names())).toHaveLength(1);
      expect(await collect(store.list('documents/'))).toHaveLength(1);
      expect((await planPrune(store, { rules, now: later })).objects).toEqual([]);
    });

    test('two that write at once break nothing, and the later one is the newest', { timeout: 60_000 }, async () => {
      await backUpOne(store, source);
      const now = Date.now();
      const both = await Promise.all([2000, 1000].map((after) => backUpOne(store, source, { now: now + after })));
      expect(both.map(({ sequence }) => sequence)).toEqual([1, 1]);
      const [later, earlier] = both;
      expect((await collect(store.names())).map(({ id }) => id).slice(0, 2)).toEqual([later?.id, earlier?.id]);
      expect((await store.newest())?.id).toBe(later?.id);
      for (const one of both) expect(await whole(one)).toBe(true);
      const next = await backUpOne(store, source);
      expect([(await store.newest())?.id, next.sequence]).toEqual([next.id, 2]);
    });

    test('keeps the order of snapshots when the clock jumps', { timeout: 60_000 }, async () => {
      const now = Date.now();
      const made: Snapshot[] = [];
      for (const time of [now, now + 10_000 * HOUR, now - 10_000 * HOUR, now + HOUR]) {
        await writeFile(join(source.path, 'time'), String(time));
        made.push(await backUpOne(store, source, { now: time }));
      }
      expect((await collect(store.names())).map(({ id }) => id)).toEqual(made.map(({ id }) => id).reverse());
      expect((await store.newest())?.time).toBe(now + HOUR);
    });

    test('restores into a place that is there only when told to', async () => {
      const snapshot = await backUpOne(store, source);
      await mkdir(target());
      await writeFile(join(target(), 'mine'), 'mine');
      const again = restore({ store, snapshot, target: target(), force: false });
      await expect(again).rejects.toMatchObject({ code: 'target-exists' });
      expect(existsSync(join(target(), 'first'))).toBe(false);
      expect(await whole(snapshot)).toBe(true);
    });

    test('lets one at a time work on a source, and takes over from the dead', { timeout: 60_000 }, async () => {
      const first = await takeLease(store, { purpose: 'backup daemon' });
      await expect(takeLease(store, { purpose: 'backup run' })).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining(`backup daemon on`),
      });
      await first.release();
      // One of another machine that shows no life, and one that does.
      const identity = JSON.stringify({ pid: 1, started: '1', namespace: 'another machine' });
      const content = { identity, host: 'elsewhere', purpose: 'backup run', renewed: 0 };
      await store.putRecord('leases/0000000000000000', content);
      const taken = await takeLease(store, { purpose: 'backup run', silence: 1000 });
      await taken.release();
      // Another program's, who says nothing that we know of its process, is given its time as well.
      await store.putRecord('leases/0000000000000000', { ...content, identity: 'somebody' });
      const began = performance.now();
      await (await takeLease(store, { purpose: 'backup run', silence: 1000 })).release();
      expect(performance.now() - began).toBeGreaterThan(990);
      await store.putRecord('leases/0000000000000000', content);
      const beats = setInterval(() => {
        store.putRecord('leases/0000000000000000', { ...content, renewed: Date.now() }).catch(() => undefined);
      }, 200);
      const refused = takeLease(store, { purpose: 'backup run', silence: 4000 });
      await expect(refused).rejects.toMatchObject({ code: 'busy' });
      clearInterval(beats);
    });

    test('gives the lease to one of many that ask at once', { timeout: 60_000 }, async () => {
      const asked = Array.from({ length: 6 }, () => takeLease(store, { purpose: 'backup run' }));
      const answers = await Promise.allSettled(asked);
      const holders = answers.filter(({ status }) => status === 'fulfilled');
      expect(holders.length).toBeLessThanOrEqual(1);
      for (const answer of answers) if (answer.status === 'fulfilled') await answer.value.release();
      await (await takeLease(store, { purpose: 'backup run' })).release();
    });
  });
}
