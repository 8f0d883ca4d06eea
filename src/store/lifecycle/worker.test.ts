import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DAY } from '../../core/durations.ts';
import { openDirectory } from '../check/access.ts';
import { fsck } from '../check/fsck.ts';
import { type LocalStore, openLocalStore } from '../local-store.ts';
import { encodeLifecycle, type LifecycleRule } from './rules.ts';

const START = Date.UTC(2026, 10, 24, 12);
let directory: string;
let store: LocalStore;
let now = START;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bucketwright-lifecycle-'));
  now = START;
  store = await openLocalStore({ directory, clock: { now: () => now } });
  await store.createBucket({ name: 'b', owner: 'root', region: 'r' });
  await store.createBucket({ name: 'other', owner: 'root', region: 'r' });
});
afterEach(async () => {
  await store.close();
  // Whatever was removed, nothing is left behind or missing.
  const opened = await openDirectory(directory, 'alone');
  const wrong: unknown[] = [];
  for await (const finding of fsck(opened, {}, [])) if (finding.status !== 'ok') wrong.push(finding);
  await opened.close();
  await rm(directory, { recursive: true });
  expect(wrong).toEqual([]);
});

const plain = { headers: {}, metadata: {}, tags: [], storageClass: 'STANDARD' };

interface Given {
  readonly retention?: { readonly mode: 'COMPLIANCE'; readonly until: number };
  readonly tags?: readonly (readonly [string, string])[];
}

function put(key: string, size = 10, given: Given = {}, bucket = 'b') {
  const body = { bytes: Buffer.alloc(size, 'x') };
  return store.putObject({ bucket, key, ...plain, ...given, body, digests: [], accept: () => undefined });
}

function rules(...given: Partial<LifecycleRule>[]) {
  const whole = given.map((one, index) => ({
    id: `r${index}`,
    enabled: true,
    form: 'filter' as const,
    filter: {},
    ...one,
  }));
  return store.setBucketConfiguration('b', 'lifecycle', encodeLifecycle(whole));
}

async function run(daysLater: number) {
  now = START + daysLater * DAY;
  return (await store.runLifecycle()).find(({ bucket }) => bucket === 'b');
}

async function keys(bucket = 'b') {
  const { entries } = await store.listObjects({ bucket, prefix: '', delimiter: '', after: undefined, limit: 1000 });
  return entries.map((entry) => (entry.kind === 'object' ? entry.key : ''));
}

async function versions() {
  const listing = { bucket: 'b', prefix: '', delimiter: '', after: undefined, limit: 1000 };
  const { entries } = await store.listVersions(listing);
  return entries.map((entry) => (entry.kind === 'prefix' ? entry.prefix : `${entry.kind} ${entry.key}`));
}

it('removes what is due and nothing else, across pages', async () => {
  await rules({ filter: { prefix: 'old/' }, expiration: { days: 2 } });
  await Promise.all(Array.from({ length: 250 }, (_, n) => put(`old/${n}`, n % 50 === 0 ? 40_000 : 10)));
  await put('keep', 50_000);
  await put('old/x', 10, {}, 'other');
  expect(await run(2)).toMatchObject({ expired: 0 });
  now = START + 2 * DAY;
  await put('old/new');
  // Due since midnight.
  expect(await run(2.5)).toMatchObject({ expired: 250, versions: 0 });
  expect(await keys()).toEqual(['keep', 'old/new']);
  expect(await keys('other')).toEqual(['old/x']);
  expect(await run(3)).toMatchObject({ expired: 0 });
  expect(store.lifecycleReports()).toMatchObject([{ bucket: 'b', expired: 250 }]);
});

it('removes by date, at once where the date is past', async () => {
  await put('a');
  await rules({ filter: { prefix: 'a' }, expiration: { date: START + 2.5 * DAY } });
  expect(await run(2)).toMatchObject({ expired: 0 });
  await put('after');
  expect(await run(2.5)).toMatchObject({ expired: 2 });
  await put('another');
  await put('b');
  expect(await run(9)).toMatchObject({ expired: 1 });
  expect(await keys()).toEqual(['b']);
});

it('removes what all of a filter fits: prefix, tags and size', async () => {
  const old = { tags: [['class', 'old']] as const };
  const both = {
    tags: [
      ['class', 'old'],
      ['team', 'x'],
    ] as const,
  };
  await put('logs/fits', 50_000, both);
  await put('logs/small', 100, both);
  await put('logs/huge', 90_000, both);
  await put('logs/tagged', 50_000, old);
  await put('logs/plain', 50_000);
  await put('other/fits', 50_000, both);
  const tags: [string, string][] = [
    ['class', 'old'],
    ['team', 'x'],
  ];
  await rules({
    form: 'and',
    filter: { prefix: 'logs/', tags, sizeGreaterThan: 100, sizeLessThan: 90_000 },
    expiration: { days: 1 },
  });
  expect(await run(2)).toMatchObject({ expired: 1 });
  await rules({ filter: { tags: [['class', 'old']] }, expiration: { days: 1 } });
  expect(await run(2)).toMatchObject({ expired: 4 });
  await put('tiny', 1);
  await rules({ filter: { sizeLessThan: 2 }, expiration: { days: 1 } });
  expect(await run(4)).toMatchObject({ expired: 1 });
  await rules({ filter: { sizeGreaterThan: 49_999 }, expiration: { days: 1 } });
  expect(await run(4)).toMatchObject({ expired: 1 });
  expect(await keys()).toEqual([]);
});

it('goes by the tags and the size of each older version, not of the current one', async () => {
  await store.setVersioning('b', 'Enabled');
  await put('key', 10, { tags: [['keep', 'no']] });
  now += 1000;
  await put('key', 20, { tags: [['keep', 'yes']] });
  now += 1000;
  await put('key', 30, { tags: [['keep', 'no']] });
  now += 1000;
  await put('key', 5, { tags: [['keep', 'no']] });
  await rules({ filter: { tags: [['keep', 'no']], sizeLessThan: 30 }, noncurrentExpiration: { days: 1 } });
  expect(await run(3)).toMatchObject({ versions: 1, expired: 0 });
  const { entries } = await store.listVersions({ bucket: 'b', prefix: '', delimiter: '', after: undefined, limit: 9 });
  expect(entries).toMatchObject([{ size: 5 }, { size: 30 }, { size: 20 }]);
});

it('lets requests in between, however much there is to remove', async () => {
  await Promise.all(Array.from({ length: 3000 }, (_, n) => put(`old/${n}`)));
  await rules({ filter: { prefix: 'old/' }, expiration: { days: 1 } });
  now = START + 3 * DAY;
  let running = true;
  const cleaning = store.runLifecycle().finally(() => {
    running = false;
  });
  let served = 0;
  for (; running; served += 1) await put('foreground');
  expect((await cleaning).find(({ bucket }) => bucket === 'b')).toMatchObject({ expired: 3000 });
  // One between any two pages of a hundred would be 30.
  expect(served).toBeGreaterThanOrEqual(30);
});

it('marks current versions as deleted, removes older ones by age and number, then the marker', async () => {
  await store.setVersioning('b', 'Enabled');
  for (let n = 0; n < 5; n += 1) {
    now += 1000;
    await put('key', 40_000 + n);
  }
  await put('other');
  await rules(
    { filter: { prefix: 'key' }, expiration: { days: 1 }, noncurrentExpiration: { days: 3, newerVersions: 2 } },
    { filter: { prefix: 'nothing' }, expiration: { expiredObjectDeleteMarker: true } },
  );
  expect(await run(2)).toMatchObject({ expired: 1, versions: 0, deleteMarkers: 0 });
  expect(await keys()).toEqual(['other']);
  expect(await versions()).toHaveLength(7);
  // Replaced on day 0, so due after midnight of day 3; the newest two stay.
  expect(await run(4)).toMatchObject({ versions: 3 });
  expect(await versions()).toEqual(['delete-marker key', 'version key', 'version key', 'version other']);
  await rules({ filter: { prefix: 'key' }, expiration: { days: 1 }, noncurrentExpiration: { days: 1 } });
  expect(await run(10)).toMatchObject({ versions: 2 });
  // What was noncurrent is gone, so the marker is all there is, and older than a day.
  expect(await run(11)).toMatchObject({ deleteMarkers: 1 });
  expect(await versions()).toEqual(['version other']);
});

it('removes a lone delete marker at once where a rule wants that', async () => {
  await store.setVersioning('b', 'Enabled');
  await store.deleteObject({ bucket: 'b', key: 'never-there' });
  await put('has-version');
  await store.deleteObject({ bucket: 'b', key: 'has-version' });
  await rules({ expiration: { expiredObjectDeleteMarker: true } });
  expect(await run(0)).toMatchObject({ deleteMarkers: 1 });
  expect(await versions()).toEqual(['delete-marker has-version', 'version has-version']);
});

it('in a bucket with suspended versioning, replaces the null version by a marker', async () => {
  await put('key');
  await store.setVersioning('b', 'Suspended');
  await rules({ expiration: { days: 1 } });
  expect(await run(2)).toMatchObject({ expired: 1 });
  expect(await versions()).toEqual(['delete-marker key']);
});

it('leaves what is locked, and says so', async () => {
  await store.setVersioning('b', 'Enabled');
  await store.setObjectLock('b', {});
  await put('key', 10, { retention: { mode: 'COMPLIANCE', until: START + 5 * DAY } });
  now += 1000;
  await put('key', 20);
  await rules({ noncurrentExpiration: { days: 1 } });
  expect(await run(3)).toMatchObject({ versions: 0, locked: 1 });
  expect(await versions()).toHaveLength(2);
  expect(await run(6)).toMatchObject({ versions: 1, locked: 0 });
});

it('aborts uploads by their beginning, and leaves nothing of their parts', async () => {
  const begin = async (key: string) => {
    const { uploadId } = await store.createUpload({
      bucket: 'b',
      key,
      ...plain,
      checksumAlgorithm: undefined,
      checksumType: undefined,
    });
    const body = { bytes: Buffer.alloc(50_000) };
    await store.putPart({ bucket: 'b', key, uploadId, partNumber: 1, body, digests: [], accept: () => undefined });
  };
  await begin('a/1');
  await begin('b/1');
  await rules({ filter: { prefix: 'a/' }, abortUploadAfter: 1 });
  expect(await run(1)).toMatchObject({ uploads: 0 });
  expect(await run(2)).toMatchObject({ uploads: 1 });
  const left = await store.listUploads({ bucket: 'b', prefix: '', delimiter: '', after: undefined, limit: 10 });
  expect(left.entries).toMatchObject([{ upload: { key: 'b/1' } }]);
});

it('goes on after a run that was cut off, and ignores disabled rules', async () => {
  await Promise.all(Array.from({ length: 150 }, (_, n) => put(`k${n}`)));
  await rules({ expiration: { days: 1 }, enabled: false });
  expect(await run(3)).toMatchObject({ expired: 0 });
  await rules({ expiration: { days: 1 } });
  const cut = store.runLifecycle();
  await store.close();
  await cut.catch(() => undefined);
  store = await openLocalStore({ directory, clock: { now: () => now } });
  await run(3);
  expect(await keys()).toEqual([]);
});
