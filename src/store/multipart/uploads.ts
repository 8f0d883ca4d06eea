import { randomBytes } from 'node:crypto';
import type { Checksum } from '../../checksum/index.ts';
import { fullObjectChecksum } from '../../checksum/index.ts';
import { assertRoomFor, type Engine } from '../engine.ts';
import { StoreError } from '../errors.ts';
import type { BucketRecord, UploadRecord } from '../index/database.ts';
import { afterPrefix, partKey, partNumberOf, UPLOAD_ID_BYTES, uploadKey } from '../index/keys.ts';
import { encodeObject, type ObjectRecord } from '../index/records.ts';
import { md5Of, withMd5 } from '../object/put.ts';
import { checkLockable } from '../object/retention.ts';
import type { CreateUpload, ListParts, PartInfo, PutPart, UploadInfo } from '../port.ts';

export async function createUpload(engine: Engine, request: CreateUpload): Promise<UploadInfo> {
  const { bucket, key } = request;
  const bucketRecord = engine.buckets.require(bucket);
  engine.space.assertRoom(0, 'index');
  checkLockable(bucketRecord, request, engine.clock.now(), request);
  const record: UploadRecord = {
    headers: request.headers,
    metadata: request.metadata,
    tags: request.tags,
    storageClass: request.storageClass,
    acl: request.acl,
    sse: request.sse,
    retention: request.retention,
    legalHold: request.legalHold,
    initiated: engine.clock.now(),
    checksumAlgorithm: request.checksumAlgorithm ?? null,
    checksumType: request.checksumType ?? null,
  };
  const id = newUploadId(record.initiated);
  await engine.committer.commit(() => {
    engine.buckets.requireSame(bucket, bucketRecord);
    engine.index.uploads.putSync(uploadKey(bucketRecord.id, key, id), record);
  });
  return describeUpload(bucket, key, id, record);
}

export function describeUpload(bucket: string, key: string, id: Buffer, record: UploadRecord): UploadInfo {
  return {
    bucket,
    key,
    uploadId: id.toString('hex'),
    initiated: record.initiated,
    headers: record.headers,
    metadata: record.metadata,
    tags: record.tags,
    storageClass: record.storageClass,
    acl: record.acl,
    sse: record.sse,
    retention: record.retention,
    legalHold: record.legalHold,
    checksumAlgorithm: record.checksumAlgorithm ?? undefined,
    checksumType: record.checksumType ?? undefined,
  };
}

export interface FoundUpload {
  readonly bucket: BucketRecord;
  readonly id: Buffer;
  readonly indexKey: Buffer;
  readonly record: UploadRecord;
}

/** @throws StoreError `no-such-bucket`, `no-such-upload` */
export function requireUpload(engine: Engine, bucket: string, key: string, uploadId: string): FoundUpload {
  const bucketRecord = engine.buckets.require(bucket);
  const id = parseUploadId(uploadId);
  const indexKey = id === undefined ? undefined : uploadKey(bucketRecord.id, key, id);
  const record = indexKey === undefined ? undefined : engine.index.uploads.get(indexKey);
  if (id === undefined || indexKey === undefined || record === undefined) throw noSuchUpload(bucket, key, uploadId);
  return { bucket: bucketRecord, id, indexKey, record };
}

export function noSuchUpload(bucket: string, key: string, uploadId: string): StoreError {
  return new StoreError('no-such-upload', `there is no upload ${uploadId}`, { bucket, key, uploadId });
}

/** Upload ids are 32 hexadecimal digits; anything else names no upload of ours. */
export function parseUploadId(uploadId: string): Buffer | undefined {
  return /^[0-9a-f]{32}$/.test(uploadId) ? Buffer.from(uploadId, 'hex') : undefined;
}

function newUploadId(now: number): Buffer {
  const id = randomBytes(UPLOAD_ID_BYTES);
  id.writeUIntBE(now, 0, 6);
  return id;
}

export async function putPart(engine: Engine, request: PutPart): Promise<PartInfo> {
  const { bucket, key, uploadId, partNumber } = request;
  const upload = requireUpload(engine, bucket, key, uploadId);
  assertRoomFor(engine, request.body);
  const algorithm = upload.record.checksumAlgorithm;
  const digests = withMd5(request.digests);
  const wanted = algorithm === null || digests.includes(algorithm) ? digests : [...digests, algorithm];
  const written = await engine.writer.write(request.body, wanted);
  try {
    let checksum = request.accept(written.digests, written.size);
    // The client may leave the checksum to us; completion needs one of every part.
    const computed = algorithm === null ? undefined : written.digests.get(algorithm);
    if (checksum === undefined && algorithm !== null && computed !== undefined) {
      checksum = fullObjectChecksum(algorithm, computed);
    }
    const sealed = request.seal?.();
    const etag = sealed?.etag ?? md5Of(written);
    const record = {
      ...partRecord(written.size, engine.clock.now(), etag, checksum, written.reference),
      sse: sealed?.sse,
    };
    const indexKey = partKey(upload.id, partNumber);
    await engine.committer.commit(() => {
      engine.buckets.requireSame(bucket, upload.bucket);
      if (!engine.index.uploads.doesExist(upload.indexKey)) throw noSuchUpload(bucket, key, uploadId);
      const replaced = engine.index.parts.get(indexKey);
      engine.references.adopt(written);
      engine.index.partsRaw.putSync(indexKey, encodeObject(record));
      if (replaced !== undefined) engine.references.release(replaced.body);
    });
    written.keep();
    return describePart(partNumber, record);
  } catch (error) {
    await written.discard();
    throw error;
  }
}

function partRecord(
  size: number,
  modified: number,
  etag: string,
  checksum: Checksum | undefined,
  body: ObjectRecord['body'],
): ObjectRecord {
  return { size, modified, etag, checksum, body, headers: {}, metadata: {}, tags: [], storageClass: 'STANDARD' };
}

function describePart(number: number, record: ObjectRecord): PartInfo {
  const { size, etag, modified, checksum } = record;
  return { number, size, etag, modified, checksum };
}

export function listParts(engine: Engine, request: ListParts) {
  const { bucket, key, uploadId, after, limit } = request;
  const { id } = requireUpload(engine, bucket, key, uploadId);
  const range = { start: partKey(id, Math.min(after + 1, 0xffff)), end: afterPrefix(id), limit: limit + 1 };
  const parts = Array.from(engine.index.parts.getRange(range), (entry) =>
    describePart(partNumberOf(entry.key), entry.value),
  );
  return { parts: parts.slice(0, limit), truncated: parts.length > limit };
}

export async function abortUpload(engine: Engine, bucket: string, key: string, uploadId: string): Promise<void> {
  const { id, indexKey } = requireUpload(engine, bucket, key, uploadId);
  await engine.committer.commit(() => {
    if (!engine.index.uploads.doesExist(indexKey)) throw noSuchUpload(bucket, key, uploadId);
    engine.index.uploads.removeSync(indexKey);
    for (const part of takeParts(engine, id)) engine.references.release(part.record.body);
  });
}

/** Inside a transaction: removes the part entries of an upload and answers what they were. */
export function takeParts(
  engine: Engine,
  id: Buffer,
): readonly { readonly number: number; readonly record: ObjectRecord }[] {
  const found = Array.from(engine.index.parts.getRange({ start: partKey(id, 0), end: afterPrefix(id) }), (entry) => ({
    number: partNumberOf(entry.key),
    record: entry.value,
  }));
  for (const part of found) engine.index.partsRaw.removeSync(partKey(id, part.number));
  return found;
}
