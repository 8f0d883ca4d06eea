import type { Engine } from '../engine.ts';
import { afterKey, afterPrefix, objectKey, splitUploadKey, uploadKey } from '../index/keys.ts';
import { commonPrefix } from '../object/list.ts';
import type { ListUploads, UploadListing } from '../port.ts';
import { describeUpload, parseUploadId } from './uploads.ts';

/** Uploads in order of key, then of their beginning. */
export function listUploads(engine: Engine, request: ListUploads): UploadListing {
  const { bucket, prefix, delimiter, limit } = request;
  const { id } = engine.buckets.require(bucket);
  const entries: UploadListing['entries'][number][] = [];
  if (limit === 0) return { entries, truncated: false };
  const first = objectKey(id, prefix);
  const end = afterPrefix(first);
  const resume = resumeAt(id, request);
  let start: Buffer | undefined = resume !== undefined && Buffer.compare(first, resume) < 0 ? resume : first;
  while (start !== undefined) {
    const from: Buffer = start;
    start = undefined;
    for (const { key: indexKey, value } of engine.index.uploads.getRange({ start: from, end })) {
      const { key, uploadId } = splitUploadKey(indexKey);
      if (entries.length === limit) return { entries, truncated: true };
      const group = commonPrefix(key, prefix, delimiter);
      if (group !== undefined) {
        entries.push({ kind: 'prefix', prefix: group });
        start = afterPrefix(objectKey(id, group));
        break;
      }
      entries.push({ kind: 'upload', upload: describeUpload(bucket, key, uploadId, value) });
    }
  }
  return { entries, truncated: false };
}

function resumeAt(bucketId: number, { prefix, delimiter, after }: ListUploads): Buffer | undefined {
  if (after === undefined) return undefined;
  const uploadId = after.uploadId === undefined ? undefined : parseUploadId(after.uploadId);
  if (uploadId !== undefined) return afterKey(uploadKey(bucketId, after.key, uploadId));
  const group = after.key.startsWith(prefix) ? commonPrefix(after.key, prefix, delimiter) : undefined;
  if (group !== undefined) return afterPrefix(objectKey(bucketId, group));
  // Every upload of the key itself lies between `key NUL` and `key SOH`.
  return Buffer.concat([objectKey(bucketId, after.key), Buffer.of(1)]);
}
