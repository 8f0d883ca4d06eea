import type { Engine } from '../engine.ts';
import { afterKey, afterPrefix, objectKey } from '../index/keys.ts';
import type { ListEntry, ListObjects, ObjectListing } from '../port.ts';

/**
 * A listing is a scan of the index from where the last page ended. What a common prefix hides is skipped by one seek, so
 * a page costs its own entries, not the number of keys in the bucket.
 */
export function listObjects(engine: Engine, request: ListObjects): ObjectListing {
  const { bucket, prefix, delimiter, limit } = request;
  const { id } = engine.buckets.require(bucket);
  const entries: ListEntry[] = [];
  if (limit === 0) return { entries, truncated: false };
  const first = objectKey(id, prefix);
  const end = afterPrefix(first);
  let start: Buffer | undefined = laterOf(first, resumeAt(id, request));
  while (start !== undefined) {
    const from: Buffer = start;
    start = undefined;
    // One more than can be answered tells whether the listing goes on.
    for (const { key, value } of engine.index.listing.getRange({ start: from, end })) {
      if (typeof key !== 'string') throw new TypeError('a listing reads keys as strings');
      const group = commonPrefix(key, prefix, delimiter);
      if (entries.length === limit) return { entries, truncated: true };
      if (group !== undefined) {
        entries.push({ kind: 'prefix', prefix: group });
        start = afterPrefix(objectKey(id, group));
        break;
      }
      entries.push({
        kind: 'object',
        key,
        size: value.size,
        modified: value.modified,
        etag: value.etag,
        storageClass: value.storageClass,
        checksumAlgorithm: value.checksumAlgorithm,
        checksumType: value.checksumType,
      });
    }
  }
  return { entries, truncated: false };
}

export function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at === -1 ? undefined : key.slice(0, at + delimiter.length);
}

/** The first index key after `after`; after the whole group, when it lies in one that an earlier page has answered. */
function resumeAt(bucketId: number, { prefix, delimiter, after }: ListObjects): Buffer | undefined {
  if (after === undefined) return undefined;
  const group = after.startsWith(prefix) ? commonPrefix(after, prefix, delimiter) : undefined;
  return group === undefined ? afterKey(objectKey(bucketId, after)) : afterPrefix(objectKey(bucketId, group));
}

function laterOf(a: Buffer, b: Buffer | undefined): Buffer {
  return b !== undefined && Buffer.compare(a, b) < 0 ? b : a;
}
