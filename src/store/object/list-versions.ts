import type { Engine } from '../engine.ts';
import {
  afterKey,
  afterPrefix,
  keyBetween,
  objectKey,
  objectKeyOfVersion,
  versionKey,
  versionsPrefix,
} from '../index/keys.ts';
import type { ListedVersion } from '../index/records.ts';
import { parseVersionId } from '../index/version-ids.ts';
import type { ListVersions, VersionEntry, VersionListing } from '../port.ts';
import { commonPrefix } from './list.ts';
import { findVersion } from './versions.ts';

interface Row {
  /** The index key of the object that this is a version of. */
  readonly object: Buffer;
  readonly value: ListedVersion;
}

/**
 * Two scans side by side: the current versions and all others, merged by key, so that of each key the current one comes
 * first and the others follow, newest first. As with objects, what a common prefix hides is skipped by a seek.
 */
export function listVersions(engine: Engine, request: ListVersions): VersionListing {
  const { bucket, prefix, delimiter, limit } = request;
  const { id } = engine.buckets.require(bucket);
  const entries: VersionEntry[] = [];
  if (limit === 0) return { entries, truncated: false };
  const first = objectKey(id, prefix);
  const end = afterPrefix(first);
  let start: Position | undefined = laterOf({ objects: first, versions: first }, resumeAt(engine, id, request));
  let last: Buffer | undefined;
  while (start !== undefined) {
    const from: Position = start;
    start = undefined;
    for (const { object, value } of merged(engine, from, end)) {
      const key = keyBetween(object, 0, object.length);
      const group = commonPrefix(key, prefix, delimiter);
      if (entries.length === limit) return { entries, truncated: true };
      if (group !== undefined) {
        entries.push({ kind: 'prefix', prefix: group });
        const next = afterPrefix(objectKey(id, group));
        start = { objects: next, versions: next };
        break;
      }
      const isFirst = last === undefined || !last.equals(object);
      last = object;
      entries.push(describeVersion(key, value, isFirst && isLatest(engine, request, object, value, entries.length)));
    }
  }
  return { entries, truncated: false };
}

interface Position {
  readonly objects: Buffer;
  readonly versions: Buffer;
}

function* merged(engine: Engine, from: Position, end: Buffer): Generator<Row> {
  const currents = engine.index.objectHeads.getRange({ start: from.objects, end })[Symbol.iterator]();
  const others = engine.index.versionHeads.getRange({ start: from.versions, end })[Symbol.iterator]();
  try {
    let current = rowOf(currents.next(), (key) => key);
    let other = rowOf(others.next(), objectKeyOfVersion);
    while (current !== undefined || other !== undefined) {
      if (other === undefined || (current !== undefined && Buffer.compare(current.object, other.object) <= 0)) {
        if (current !== undefined) yield current;
        current = rowOf(currents.next(), (key) => key);
      } else {
        yield other;
        other = rowOf(others.next(), objectKeyOfVersion);
      }
    }
  } finally {
    currents.return?.();
    others.return?.();
  }
}

function rowOf(
  next: IteratorResult<{ key: Buffer; value: ListedVersion }>,
  objectOf: (key: Buffer) => Buffer,
): Row | undefined {
  return next.done === true ? undefined : { object: objectOf(next.value.key), value: next.value.value };
}

/** The first of a key is the latest, unless the page began in the midst of that key. */
function isLatest(
  engine: Engine,
  { after, bucket }: ListVersions,
  object: Buffer,
  value: ListedVersion,
  listed: number,
): boolean {
  if (listed > 0 || after?.versionId === undefined) return true;
  const key = keyBetween(object, 0, object.length);
  if (key !== after.key) return true;
  const { id } = engine.buckets.require(bucket);
  const current = engine.index.objectHeads.get(objectKey(id, key));
  if (current !== undefined) return current.versionId === value.versionId;
  const start = versionsPrefix(id, key);
  for (const newest of engine.index.versionHeads.getRange({ start, end: afterPrefix(start), limit: 1 })) {
    return newest.value.versionId === value.versionId;
  }
  return false;
}

function describeVersion(key: string, value: ListedVersion, latest: boolean): VersionEntry {
  const { size, modified, etag, storageClass, checksumAlgorithm, checksumType, versionId, deleteMarker } = value;
  const kind = deleteMarker ? 'delete-marker' : 'version';
  const attributes = { size, modified, etag, storageClass, checksumAlgorithm, checksumType };
  return { kind, key, versionId, isLatest: latest, ...attributes };
}

/** Where both scans go on after the last entry of an earlier page. */
function resumeAt(engine: Engine, bucketId: number, request: ListVersions): Position | undefined {
  const { prefix, delimiter, after } = request;
  if (after === undefined) return undefined;
  const group = after.key.startsWith(prefix) ? commonPrefix(after.key, prefix, delimiter) : undefined;
  if (group !== undefined) {
    const next = afterPrefix(objectKey(bucketId, group));
    return { objects: next, versions: next };
  }
  const objects = afterKey(objectKey(bucketId, after.key));
  if (after.versionId === undefined) return { objects, versions: afterPrefix(versionsPrefix(bucketId, after.key)) };
  const name = { bucketId, key: after.key };
  const found = findVersion(engine, name, after.versionId);
  if (found?.isCurrent === true) return { objects, versions: versionsPrefix(bucketId, after.key) };
  const sequence = found?.record.version?.sequence ?? parseVersionId(after.versionId);
  // The null version is gone meanwhile, and with it the place where it was: rather all of the key again than too few.
  if (sequence === undefined)
    return { objects: objectKey(bucketId, after.key), versions: objectKey(bucketId, after.key) };
  return { objects, versions: afterKey(versionKey(bucketId, after.key, sequence)) };
}

function laterOf(a: Position, b: Position | undefined): Position {
  const later = (x: Buffer, y: Buffer) => (Buffer.compare(x, y) < 0 ? y : x);
  return b === undefined ? a : { objects: later(a.objects, b.objects), versions: later(a.versions, b.versions) };
}
