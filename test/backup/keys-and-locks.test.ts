import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  applyPrune,
  createBackupMetrics,
  extendLocks,
  type Opener,
  parseDaemonPlan,
  planPrune,
  Repository,
  runDaemon,
  verify,
} from '../../src/backup/index.ts';
import type { ObjectClient } from '../../src/client/index.ts';
import { createBucketClient } from '../../src/client/index.ts';
import { DAY } from '../../src/core/durations.ts';
import { Secret } from '../../src/core/secret.ts';
import { backUpOne, clientOf, collect, connectionOf, freshPlace, opener } from '../support/backup.ts';
import { bucketName, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';

suite('the embedded server', undefined, testEndpoint);
suite('Ceph RGW', rgwMissing(), startRgw);

function suite(name: string, missing: string | undefined, start: () => Promise<DisposableEndpoint>): void {
  skipUnless(missing === undefined, missing ?? '')(`keys and locks of a repository on ${name}`, () => {
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

    test('opens by a passphrase or a key, whatever other slots are broken or want too much memory', {
      timeout: 60_000,
    }, async () => {
      const place = await freshPlace(client);
      const repository = await Repository.init(place, opener);
      const key: Opener = { kind: 'key', secret: new Secret(randomBytes(32).toString('base64')) };
      const other: Opener = { kind: 'key', secret: new Secret(randomBytes(32).toString('base64')) };
      await repository.addKey(key);
      const { bucket, prefix } = place;
      const greedy = {
        version: 1,
        kdf: 'scrypt',
        n: 1_048_576,
        r: 32,
        p: 16,
        salt: '0'.repeat(64),
        sealed: '0'.repeat(160),
      };
      for (const [slot, body] of [
        ['0000000000000000', 'no JSON'],
        ['0000000000000001', JSON.stringify(greedy)],
        ['0000000000000002', JSON.stringify({ ...greedy, n: 1024, r: 1, p: 1 })],
      ] as const) {
        await client.put({ bucket, key: `${prefix}keys/${slot}`, body: { bytes: body } });
      }
      await Repository.open(place, key);
      await Repository.open(place, opener);
      await expect(Repository.open(place, other)).rejects.toMatchObject({ code: 'wrong-key' });
    });

    test('locks what it stores, and anew what newer snapshots still need', { timeout: 120_000 }, async () => {
      await using directory = await temporaryDirectory('lock');
      const bucket = bucketName('lock');
      const buckets = createBucketClient(connectionOf(endpoint));
      await buckets.create(bucket, { objectLock: true });
      buckets.close();
      const lock = 30 * DAY;
      const repository = await Repository.init({ client, bucket, prefix: '', conditionalPut: false, lock }, opener);
      const store = repository.source('tree');
      const path = join(directory.path, 'tree');
      await mkdir(path);
      await writeFile(join(path, 'first'), 'first');
      await backUpOne(store, { kind: 'directory', path, scratch: directory.path });
      const { url, region, accessKeyId, secretAccessKey } = endpoint;
      const credentials = { accessKeyId, secretAccessKey };
      const s3 = new S3Client({ endpoint: url, region, credentials, forcePathStyle: true });
      const until = async (name: string) => {
        const { Retention } = await s3.send(new GetObjectRetentionCommand({ Bucket: bucket, Key: name }));
        return Retention?.RetainUntilDate?.getTime() ?? 0;
      };
      const [pack] = await collect(store.list('packs/'));
      if (pack === undefined) throw new Error('no pack');
      const name = store.subject(pack.name);
      const now = Date.now();
      expect(await until(name)).toBeGreaterThan(now + 29 * DAY);
      // Whoever has the keys cannot remove it.
      const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: name }));
      const [version] = Versions;
      const remove = new DeleteObjectCommand({ Bucket: bucket, Key: name, VersionId: version?.VersionId });
      await expect(s3.send(remove)).rejects.toMatchObject({ name: 'AccessDenied' });
      // The second snapshot needs the pack of the first one, and an eye is kept on it.
      await writeFile(join(path, 'second'), 'second');
      await backUpOne(store, { kind: 'directory', path, scratch: directory.path });
      expect(await extendLocks(store, now + DAY)).toBeGreaterThan(4);
      expect(await until(name)).toBeGreaterThan(now + 30 * DAY);
      expect(await extendLocks(store, now + 5 * DAY)).toBe(0);
      expect(await extendLocks(store, now + 17 * DAY)).toBeGreaterThan(4);
      expect(await until(name)).toBeGreaterThan(now + 46 * DAY);
      // Pruning hides what it removes; what is kept stays whole.
      const rules = { last: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0, within: 0 };
      await applyPrune(store, await planPrune(store, { rules, now: now + 3 * DAY }), now + 3 * DAY);
      expect(await collect(store.names())).toHaveLength(1);
      const failed = (await collect(verify({ store, share: 1, turn: 0 }))).filter(({ status }) => status === 'fail');
      expect(failed).toEqual([]);
      s3.destroy();
      // A daemon sees to it though it prunes nothing.
      await store.removeAll((await collect(store.list('locks/'))).map((one) => one.name));
      const stop = new AbortController();
      const running = runDaemon({
        repository,
        plan: parseDaemonPlan(
          `sets: [{ name: tree, every: 1h, sources: [{ name: tree, path: ${path}, kind: directory }] }]`,
          'backup.yaml',
        ),
        scratch: directory.path,
        mdbxCopy: undefined,
        // Later than all of that: no lock can be made shorter.
        clock: { now: () => Date.now() + 40 * DAY },
        metrics: createBackupMetrics(),
        events: { stored: () => undefined, said: () => undefined, failed: () => undefined },
        stop: stop.signal,
        abort: stop.signal,
      });
      await expect.poll(() => collect(store.list('locks/')), { timeout: 20_000 }).toHaveLength(1);
      stop.abort();
      await running;
    });
  });
}
