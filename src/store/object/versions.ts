import type { Engine } from '../engine.ts';
import type { BucketRecord } from '../index/database.ts';
import { afterPrefix, objectKey, versionKey, versionsPrefix } from '../index/keys.ts';
import { encodeObject, type ObjectRecord, sequenceOf } from '../index/records.ts';
import {
  NULL_VERSION,
  newVersion,
  nullVersion,
  parseVersionId,
  readDescending,
  sequenceAfter,
  type VersionMark,
  writeDescending,
} from '../index/version-ids.ts';
import { withDefaultRetention } from './retention.ts';

/*
 * The current version of an object is an entry of `objects`; a listing reads nothing else. All others, and all delete
 * markers, are in `versions`, newest first. What always holds:
 *   - an entry of `objects` is newer than all of that key in `versions`;
 *   - where a key has none in `objects`, the newest in `versions` is a delete marker, or there is nothing;
 *   - at most one version of a key is the null version; `nullVersions` tells where it is, when it is in `versions`.
 */

export interface ObjectName {
  readonly bucketId: number;
  readonly key: string;
}

export interface FoundVersion {
  readonly record: ObjectRecord;
  readonly isCurrent: boolean;
}

export function isNull(record: ObjectRecord): boolean {
  return record.version === undefined || record.version.id === NULL_VERSION;
}

/** A version by its name, be it a delete marker. Undefined when there is none. */
export function findVersion(engine: Engine, name: ObjectName, versionId: string): FoundVersion | undefined {
  const current = engine.index.objects.get(objectKey(name.bucketId, name.key));
  if (versionId === NULL_VERSION) {
    if (current !== undefined && isNull(current)) return { record: current, isCurrent: true };
    const sequence = nullSequence(engine, name);
    return sequence === undefined ? undefined : noncurrent(engine, name, sequence, versionId);
  }
  if (current?.version?.id === versionId) return { record: current, isCurrent: true };
  const sequence = parseVersionId(versionId);
  return sequence === undefined ? undefined : noncurrent(engine, name, sequence, versionId);
}

function noncurrent(engine: Engine, name: ObjectName, sequence: number, id: string): FoundVersion | undefined {
  const record = engine.index.versions.get(versionKey(name.bucketId, name.key, sequence));
  return record?.version?.id === id ? { record, isCurrent: false } : undefined;
}

/** The newest in `versions`: where the object has no current version, its delete marker. */
export function newestNoncurrent(engine: Engine, { bucketId, key }: ObjectName): ObjectRecord | undefined {
  const start = versionsPrefix(bucketId, key);
  for (const { value } of engine.index.versions.getRange({ start, end: afterPrefix(start), limit: 1 })) return value;
  return undefined;
}

/**
 * Inside a transaction: `record` becomes the current version of its object, and what was current before becomes an older
 * version, or goes, as the bucket's versioning demands.
 * @returns the record as it was stored
 */
export function storeCurrent(
  engine: Engine,
  bucket: BucketRecord,
  name: ObjectName,
  current: ObjectRecord | undefined,
  record: ObjectRecord,
): ObjectRecord {
  const version = makeRoom(engine, bucket, name, current);
  const stored = version === undefined ? withoutVersion(record) : withDefaultRetention({ ...record, version }, bucket);
  engine.index.objectsRaw.putSync(objectKey(name.bucketId, name.key), encodeObject(stored));
  engine.usage.add(name.bucketId, current === undefined ? 1 : 0, record.size);
  return stored;
}

/** Inside a transaction: the object is deleted; with versioning, a marker says so and its versions stay. */
export function deleteCurrent(
  engine: Engine,
  bucket: BucketRecord,
  name: ObjectName,
  current: ObjectRecord | undefined,
): VersionMark | undefined {
  const version = makeRoom(engine, bucket, name, current);
  if (current !== undefined) {
    engine.index.objectsRaw.removeSync(objectKey(name.bucketId, name.key));
    engine.usage.add(name.bucketId, -1, 0);
  }
  if (version !== undefined) addNoncurrent(engine, name, deleteMarker(version, engine.clock.now()));
  return version;
}

/** Inside a transaction: one version goes for good. What is the newest then becomes current. */
export function removeVersion(engine: Engine, name: ObjectName, { record, isCurrent }: FoundVersion): void {
  const indexKey = objectKey(name.bucketId, name.key);
  if (isCurrent) {
    engine.index.objectsRaw.removeSync(indexKey);
    engine.usage.add(name.bucketId, -1, 0);
  } else removeNoncurrent(engine, name, record);
  drop(engine, name, record);
  if (!isCurrent && engine.index.objects.doesExist(indexKey)) return;
  const newest = newestNoncurrent(engine, name);
  if (newest === undefined || newest.deleteMarker === true) return;
  removeNoncurrent(engine, name, newest);
  engine.index.objectsRaw.putSync(indexKey, encodeObject(newest));
  engine.usage.add(name.bucketId, 1, 0);
}

/** Inside a transaction: writes a record that was found in its place again. */
export function rewriteVersion(engine: Engine, name: ObjectName, found: FoundVersion, record: ObjectRecord): void {
  if (found.isCurrent) engine.index.objectsRaw.putSync(objectKey(name.bucketId, name.key), encodeObject(record));
  else engine.index.versionsRaw.putSync(keyOf(name, record), encodeObject(record));
}

/**
 * What was current leaves its place, and the null version goes where a new one takes its name. The caller overwrites or
 * removes the entry in `objects`.
 * @returns what the new version is; undefined in a bucket that never had versioning
 */
function makeRoom(
  engine: Engine,
  bucket: BucketRecord,
  name: ObjectName,
  current: ObjectRecord | undefined,
): VersionMark | undefined {
  if (bucket.versioning === undefined) {
    if (current !== undefined) drop(engine, name, current);
    return undefined;
  }
  const newest = current ?? newestNoncurrent(engine, name);
  const sequence = sequenceAfter(newest === undefined ? 0 : sequenceOf(newest), engine.clock.now());
  const suspended = bucket.versioning === 'Suspended';
  if (current !== undefined) {
    if (suspended && isNull(current)) drop(engine, name, current);
    else addNoncurrent(engine, name, current);
  }
  if (!suspended) return newVersion(sequence);
  const older = nullSequence(engine, name);
  const found = older === undefined ? undefined : noncurrent(engine, name, older, NULL_VERSION);
  if (found !== undefined) {
    removeNoncurrent(engine, name, found.record);
    drop(engine, name, found.record);
  }
  return nullVersion(sequence);
}

function drop(engine: Engine, name: ObjectName, record: ObjectRecord): void {
  engine.usage.add(name.bucketId, 0, -record.size);
  engine.references.release(record.body);
}

function addNoncurrent(engine: Engine, name: ObjectName, record: ObjectRecord): void {
  const version = record.version ?? nullVersion(sequenceOf(record));
  engine.index.versionsRaw.putSync(keyOf(name, record), encodeObject({ ...record, version }));
  if (version.id !== NULL_VERSION) return;
  const pointer = Buffer.allocUnsafe(8);
  writeDescending(pointer, 0, version.sequence);
  engine.index.nullVersions.putSync(objectKey(name.bucketId, name.key), pointer);
}

function removeNoncurrent(engine: Engine, name: ObjectName, record: ObjectRecord): void {
  engine.index.versionsRaw.removeSync(keyOf(name, record));
  if (isNull(record)) engine.index.nullVersions.removeSync(objectKey(name.bucketId, name.key));
}

function nullSequence(engine: Engine, { bucketId, key }: ObjectName): number | undefined {
  const pointer = engine.index.nullVersions.get(objectKey(bucketId, key));
  return pointer === undefined ? undefined : readDescending(pointer, 0);
}

function keyOf({ bucketId, key }: ObjectName, record: ObjectRecord): Buffer {
  return versionKey(bucketId, key, sequenceOf(record));
}

function withoutVersion(record: ObjectRecord): ObjectRecord {
  return record.version === undefined ? record : { ...record, version: undefined };
}

function deleteMarker(version: VersionMark, modified: number): ObjectRecord {
  return {
    deleteMarker: true,
    version,
    modified,
    size: 0,
    etag: 'd41d8cd98f00b204e9800998ecf8427e',
    headers: {},
    metadata: {},
    tags: [],
    storageClass: 'STANDARD',
    checksum: undefined,
    body: { kind: 'empty', size: 0 },
  };
}
