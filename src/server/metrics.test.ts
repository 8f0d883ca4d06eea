import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LocalStore, openLocalStore } from '../store/index.ts';
import { createMetrics } from './metrics.ts';

let directory: string;
let store: LocalStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bucketwright-metrics-'));
  store = await openLocalStore({ directory });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

it('tells the state of the store from the first scrape on', async () => {
  await store.createBucket({ name: 'photos', owner: 'root', region: 'us-east-1' });
  const { text } = await createMetrics(() => store).scrape();
  expect(text).toContain('\nbucketwright_writable 1\n');
  expect(text).toMatch(/\nbucketwright_disk_free_bytes [1-9]/);
  expect(text).toContain('\nbucketwright_bucket_objects{bucket="photos"} 0\n');
  expect(text).toContain('\nbucketwright_bucket_bytes{bucket="photos"} 0\n');
});

it('forgets a bucket that is gone', async () => {
  await store.createBucket({ name: 'photos', owner: 'root', region: 'us-east-1' });
  const metrics = createMetrics(() => store);
  await metrics.scrape();
  await store.deleteBucket('photos');
  expect((await metrics.scrape()).text).not.toContain('photos');
});
