import { createHash } from 'node:crypto';
import { type Checksum, combineCrc, compositeChecksum, fullObjectChecksum } from '../../checksum/index.ts';
import type { Engine } from '../engine.ts';
import { StoreError } from '../errors.ts';
import type { BucketRecord, UploadRecord } from '../index/database.ts';
import { objectKey } from '../index/keys.ts';
import type { ObjectRecord } from '../index/records.ts';
import { checkCondition } from '../object/conditions.ts';
import { describeObject } from '../object/describe.ts';
import { findVersion, storeCurrent } from '../object/versions.ts';
import type { CompletePart, CompleteUpload, ObjectInfo } from '../port.ts';
import { type FoundUpload, noSuchUpload, parseUploadId, requireUpload, takeParts } from './uploads.ts';

interface ChosenPart {
  readonly number: number;
  readonly record: ObjectRecord;
}

export async function completeUpload(engine: Engine, request: CompleteUpload): Promise<ObjectInfo> {
  const { bucket, key, uploadId } = request;
  const repeated = completedBefore(engine, request);
  if (repeated !== undefined) return repeated;
  const upload = requireUpload(engine, bucket, key, uploadId);
  engine.space.assertRoom(0, 'index');
  return engine.committer.commit(() => {
    const bucketNow = engine.buckets.requireSame(bucket, upload.bucket);
    // Who asked twice at once gets one answer, too.
    const meanwhile = completedBefore(engine, request);
    if (meanwhile !== undefined) return meanwhile;
    const record = complete(engine, upload, request, bucketNow);
    return describeObject(engine.references, { name: bucket, record: bucketNow }, key, record);
  });
}

/** The client did not get the first answer and asks again: S3 answers the same, while the object is still that one. */
function completedBefore(engine: Engine, { bucket, key, uploadId }: CompleteUpload): ObjectInfo | undefined {
  const id = parseUploadId(uploadId);
  const completed = id === undefined ? undefined : engine.index.completed.get(id);
  if (completed === undefined || completed.bucket !== bucket || completed.key !== key) return undefined;
  const here = { name: bucket, record: engine.buckets.require(bucket) };
  const name = { bucketId: here.record.id, key };
  const record =
    completed.versionId === undefined
      ? engine.index.objects.get(objectKey(name.bucketId, key))
      : findVersion(engine, name, completed.versionId)?.record;
  if (record === undefined || record.etag !== completed.etag) return undefined;
  return describeObject(engine.references, here, key, record);
}

/** Inside a transaction. Everything is checked before the first write. */
function complete(engine: Engine, upload: FoundUpload, request: CompleteUpload, bucketNow: BucketRecord): ObjectRecord {
  const { bucket, key, uploadId } = request;
  if (!engine.index.uploads.doesExist(upload.indexKey)) throw noSuchUpload(bucket, key, uploadId);
  const stored = new Map(storedParts(engine, upload.id).map((part) => [part.number, part.record]));
  const chosen = request.parts.map((part) => choose(engine, request, part, stored.get(part.number)));
  const size = chosen.reduce((sum, part) => sum + part.record.size, 0);
  if (request.size !== undefined && request.size !== size) {
    throw new StoreError('size-mismatch', `the parts have ${size} bytes, ${request.size} were stated`, request);
  }
  const checksum = objectChecksum(upload.record, chosen, request);
  const indexKey = objectKey(upload.bucket.id, key);
  const current = engine.index.objects.get(indexKey);
  checkCondition(request.condition, current, request);

  const completed = engine.clock.now();
  const manifest = chosen.map(({ number, record }) => ({
    number,
    body: singleBody(record),
    checksum: record.checksum,
    sse: record.sse,
  }));
  const made: ObjectRecord = {
    size,
    modified: completed,
    etag: multipartEtag(chosen),
    headers: upload.record.headers,
    metadata: upload.record.metadata,
    tags: upload.record.tags,
    storageClass: upload.record.storageClass,
    acl: upload.record.acl,
    sse: upload.record.sse,
    retention: upload.record.retention,
    legalHold: upload.record.legalHold,
    checksum,
    body: engine.references.newManifest(manifest, size),
  };
  const record = storeCurrent(engine, bucketNow, { bucketId: bucketNow.id, key }, current, made);
  const used = new Set(chosen.map((part) => part.number));
  for (const part of takeParts(engine, upload.id)) {
    if (!used.has(part.number)) engine.references.release(part.record.body);
  }
  engine.index.uploads.removeSync(upload.indexKey);
  engine.index.completed.putSync(upload.id, {
    bucket,
    key,
    etag: record.etag,
    versionId: record.version?.id,
    completed,
  });
  return record;
}

function storedParts(engine: Engine, id: Buffer): readonly ChosenPart[] {
  const end = Buffer.concat([id, Buffer.of(0xff, 0xff, 0xff)]);
  return Array.from(engine.index.parts.getRange({ start: id, end }), (entry) => ({
    number: entry.key.readUInt16BE(id.length),
    record: entry.value,
  }));
}

function choose(
  engine: Engine,
  request: CompleteUpload,
  part: CompletePart,
  record: ObjectRecord | undefined,
): ChosenPart {
  const where = { bucket: request.bucket, key: request.key, uploadId: request.uploadId, partNumber: part.number };
  if (record === undefined || record.etag !== part.etag) {
    throw new StoreError('invalid-part', `part ${part.number} was not uploaded, or has another entity tag`, where);
  }
  if (part.checksum !== undefined && !sameChecksum(part.checksum, record.checksum)) {
    throw new StoreError('invalid-part', `part ${part.number} has another checksum`, where);
  }
  const last = request.parts.at(-1) === part;
  if (!last && record.size < engine.minPartSize) {
    throw new StoreError('part-too-small', `part ${part.number} has ${record.size} bytes`, where);
  }
  return { number: part.number, record };
}

function sameChecksum(stated: Checksum, stored: Checksum | undefined): boolean {
  return stored !== undefined && stored.algorithm === stated.algorithm && stored.value === stated.value;
}

/** S3's entity tag of a multipart object: the MD5 of the parts' MD5s, a dash, their number. */
function multipartEtag(parts: readonly ChosenPart[]): string {
  const hash = createHash('md5');
  for (const { record } of parts) hash.update(record.etag, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

function objectChecksum(
  upload: UploadRecord,
  parts: readonly ChosenPart[],
  request: CompleteUpload,
): Checksum | undefined {
  const algorithm = upload.checksumAlgorithm;
  if (algorithm === null) return undefined;
  const digests = parts.map(({ number, record }) => {
    if (record.checksum?.algorithm !== algorithm) {
      throw new StoreError('invalid-part', `part ${number} has no ${algorithm} checksum`, {
        ...request,
        partNumber: number,
      });
    }
    return { digest: Buffer.from(record.checksum.value, 'base64'), length: record.size };
  });
  const checksum =
    upload.checksumType === 'FULL_OBJECT' && algorithm !== 'SHA1' && algorithm !== 'SHA256'
      ? fullObjectChecksum(algorithm, combineCrc(algorithm, digests))
      : compositeChecksum(
          algorithm,
          digests.map(({ digest }) => digest),
        );
  const stated = request.checksum;
  if (stated !== undefined && (stated.algorithm !== algorithm || stated.value !== checksum.value)) {
    throw new StoreError('checksum-mismatch', `the ${stated.algorithm} checksum of the object is another one`, request);
  }
  return checksum;
}

function singleBody(record: ObjectRecord) {
  if (record.body.kind === 'manifest') throw new TypeError('a part is one body');
  return record.body;
}
