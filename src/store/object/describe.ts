import type { BodyReferences } from '../body/bodies.ts';
import type { BucketRecord } from '../index/database.ts';
import type { ObjectRecord } from '../index/records.ts';
import { NULL_VERSION } from '../index/version-ids.ts';
import type { ObjectInfo, ObjectPart } from '../port.ts';

/** An index record as the port describes it. */
export function describeObject(
  references: BodyReferences,
  bucket: { readonly name: string; readonly record: BucketRecord },
  key: string,
  record: ObjectRecord,
): ObjectInfo {
  return {
    bucket: bucket.name,
    key,
    size: record.size,
    modified: record.modified,
    etag: record.etag,
    versionId: record.version?.id ?? (bucket.record.versioning === undefined ? undefined : NULL_VERSION),
    headers: record.headers,
    metadata: record.metadata,
    tags: record.tags,
    storageClass: record.storageClass,
    acl: record.acl,
    sse: record.sse,
    retention: record.retention,
    legalHold: record.legalHold,
    checksum: record.checksum,
    parts: isMultipart(record) ? partsOf(references, record) : undefined,
  };
}

/** A copy of a multipart object keeps its bodies but is no multipart object any more. */
function isMultipart(record: ObjectRecord): boolean {
  return record.etag.length > 32;
}

function partsOf(references: BodyReferences, record: ObjectRecord): readonly ObjectPart[] | undefined {
  if (record.body.kind !== 'manifest') return undefined;
  let offset = 0;
  return references.parts(record.body).map(({ number, body, checksum, sse }) => {
    const part = { number, offset, size: body.size, checksum, sse };
    offset += body.size;
    return part;
  });
}
