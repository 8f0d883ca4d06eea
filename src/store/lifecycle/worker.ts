import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../engine.ts';
import { StoreError } from '../errors.ts';
import type { BucketRecord } from '../index/database.ts';
import { afterKey, afterPrefix, bucketPrefix, objectKey, objectKeyOfVersion, splitUploadKey } from '../index/keys.ts';
import type { ObjectRecord } from '../index/records.ts';
import { NULL_VERSION } from '../index/version-ids.ts';
import { abortUpload } from '../multipart/uploads.ts';
import { checkDeletable } from '../object/retention.ts';
import { deleteCurrent, findVersion, newestNoncurrent, removeVersion } from '../object/versions.ts';
import { abortOf, expirationOf, markerExpirationOf, noncurrentExpirationOf } from './due.ts';
import { type LifecycleCounts, type LifecycleReport, noCounts } from './report.ts';
import { decodeLifecycle, type LifecycleRules } from './rules.ts';

/** Entries looked at in one piece, about a millisecond; and the share of the time that a run takes at most. */
const PAGE = 100;
const REST_PER_WORK = 4;

interface Run {
  readonly engine: Engine;
  readonly bucket: string;
  readonly record: BucketRecord;
  readonly rules: LifecycleRules;
  readonly dayLength: number;
  readonly counts: LifecycleCounts;
  readonly stopped: () => boolean;
}

/**
 * Carries out a bucket's rules once. Every removal is a commit like a client's, and is decided again inside it, on what
 * is there then; so a run may be interrupted anywhere and begun anew.
 * @param dayLength milliseconds that count as a day
 */
export async function runLifecycle(
  engine: Engine,
  bucket: string,
  dayLength: number,
  stopped: () => boolean,
): Promise<LifecycleReport> {
  const record = engine.buckets.require(bucket);
  const rules = decodeLifecycle(engine.configurations.get(record.id, 'lifecycle')).filter(({ enabled }) => enabled);
  const began = engine.clock.now();
  const run: Run = { engine, bucket, record, rules, dayLength, counts: noCounts(), stopped };
  if (rules.some((rule) => rule.expiration !== undefined)) await expireCurrent(run);
  if (record.versioning !== undefined) await expireOlder(run);
  if (rules.some((rule) => rule.abortUploadAfter !== undefined)) await abortUploads(run);
  return { bucket, began, ended: engine.clock.now(), ...run.counts };
}

/** A page of keys after another, with pauses in between that leave the processor to requests. */
async function* pages<V>(run: Run, database: 'objects' | 'versions' | 'uploads', read: (key: Buffer) => V | undefined) {
  const first = bucketPrefix(run.record.id);
  const end = afterPrefix(first);
  let start = first;
  for (;;) {
    const began = performance.now();
    run.engine.index.root.resetReadTxn();
    const keys = Array.from(run.engine.index[database].getKeys({ start, end, limit: PAGE }), (key) => Buffer.from(key));
    const page: { readonly key: Buffer; readonly value: V }[] = [];
    for (const key of keys) {
      const value = read(key);
      if (value !== undefined) page.push({ key, value });
    }
    yield page;
    const last = keys.at(-1);
    if (keys.length < PAGE || last === undefined || run.stopped()) return;
    start = afterKey(last);
    await sleep(Math.max(1, Math.min(100, (performance.now() - began) * REST_PER_WORK)));
  }
}

async function expireCurrent(run: Run): Promise<void> {
  const { engine, rules, dayLength, record: bucket } = run;
  const isDue = (key: string, record: ObjectRecord) => {
    const due = expirationOf(rules, { key, ...record }, dayLength);
    return due !== undefined && due.at <= engine.clock.now();
  };
  for await (const page of pages(run, 'objects', (key) => engine.index.objects.get(key))) {
    const due = page
      .map(({ key, value }) => ({ key: key.toString('utf8', 4), value }))
      .filter(({ key, value }) => isDue(key, value));
    await Promise.all(
      due.map(({ key }) =>
        engine.committer.commit(() => {
          const now = engine.buckets.requireSame(run.bucket, bucket);
          const name = { bucketId: now.id, key };
          const current = engine.index.objects.get(objectKey(now.id, key));
          if (current === undefined || !isDue(key, current)) return;
          // What is deleted without a marker is deleted for good.
          if (now.versioning === undefined && isLocked(run, current, key)) return;
          deleteCurrent(engine, now, name, current);
          run.counts.expired += 1;
        }),
      ),
    );
  }
}

/** Versions that are not current, and delete markers that are all that is left. */
async function expireOlder(run: Run): Promise<void> {
  const { engine, rules, dayLength } = run;
  let group: Buffer | undefined;
  let newer = 0;
  let since = 0;
  for await (const page of pages(run, 'versions', (key) => engine.index.versions.get(key))) {
    const work: Promise<void>[] = [];
    for (const { key: indexKey, value: record } of page) {
      const object = objectKeyOfVersion(indexKey);
      const key = object.toString('utf8', 4);
      const begins = group === undefined || !group.equals(object);
      if (begins) {
        group = Buffer.from(object);
        newer = 0;
        const current = engine.index.objects.get(object);
        since = current?.modified ?? 0;
        if (current === undefined) {
          // The newest is the delete marker that is current.
          since = record.modified;
          const due = markerExpirationOf(rules, { key, modified: record.modified }, dayLength);
          if (due !== undefined && due.at <= engine.clock.now()) work.push(removeLoneMarker(run, key, record));
          continue;
        }
      }
      const deleteMarker = record.deleteMarker === true;
      const due = noncurrentExpirationOf(rules, { key, ...record, since, newer, deleteMarker }, dayLength);
      if (due !== undefined && due.at <= engine.clock.now()) work.push(removeOlder(run, key, record));
      since = record.modified;
      newer += 1;
    }
    await Promise.all(work);
  }
}

function removeLoneMarker(run: Run, key: string, marker: ObjectRecord): Promise<void> {
  const { engine } = run;
  return engine.committer.commit(() => {
    const { id: bucketId } = engine.buckets.requireSame(run.bucket, run.record);
    const name = { bucketId, key };
    const found = findVersion(engine, name, marker.version?.id ?? NULL_VERSION);
    if (found?.record.deleteMarker !== true || found.isCurrent) return;
    if (engine.index.objects.doesExist(objectKey(bucketId, key))) return;
    if (newestNoncurrent(engine, name)?.version?.id !== found.record.version?.id) return;
    if (countVersions(engine, bucketId, key) > 1) return;
    removeVersion(engine, name, found);
    run.counts.deleteMarkers += 1;
  });
}

/** One or more than one; not further. */
function countVersions(engine: Engine, bucketId: number, key: string): number {
  const start = Buffer.concat([objectKey(bucketId, key), Buffer.of(0)]);
  return Array.from(engine.index.versions.getKeys({ start, end: afterPrefix(start), limit: 2 })).length;
}

/** A version that is not current stays so until it is deleted, or until all newer ones are: then it is looked at anew. */
function removeOlder(run: Run, key: string, seen: ObjectRecord): Promise<void> {
  const { engine } = run;
  return engine.committer.commit(() => {
    const { id: bucketId } = engine.buckets.requireSame(run.bucket, run.record);
    const name = { bucketId, key };
    const found = findVersion(engine, name, seen.version?.id ?? NULL_VERSION);
    if (found === undefined || found.isCurrent || found.record.modified !== seen.modified) return;
    const newest = engine.index.objects.doesExist(objectKey(bucketId, key))
      ? undefined
      : newestNoncurrent(engine, name);
    if (newest !== undefined && newest.version?.id === found.record.version?.id) return;
    if (isLocked(run, found.record, key)) return;
    removeVersion(engine, name, found);
    if (found.record.deleteMarker === true) run.counts.deleteMarkers += 1;
    else run.counts.versions += 1;
  });
}

function isLocked(run: Run, record: ObjectRecord, key: string): boolean {
  try {
    checkDeletable(record, run.engine.clock.now(), false, { bucket: run.bucket, key });
    return false;
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'object-locked')) throw error;
    run.counts.locked += 1;
    return true;
  }
}

async function abortUploads(run: Run): Promise<void> {
  const { engine, rules, dayLength, bucket } = run;
  for await (const page of pages(run, 'uploads', (key) => engine.index.uploads.get(key))) {
    for (const { key: indexKey, value } of page) {
      const { key, uploadId } = splitUploadKey(indexKey);
      const due = abortOf(rules, { key, initiated: value.initiated }, dayLength);
      if (due === undefined || due.at > engine.clock.now()) continue;
      try {
        await abortUpload(engine, bucket, key, uploadId.toString('hex'));
        run.counts.uploads += 1;
      } catch (error) {
        // Completed or aborted in the meantime.
        if (!(error instanceof StoreError && error.code === 'no-such-upload')) throw error;
      }
    }
  }
}
