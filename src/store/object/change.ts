import type { Checksum, ChecksumAlgorithm } from '../../checksum/index.ts';
import { DigestSet, fullObjectChecksum } from '../../checksum/index.ts';
import type { Engine } from '../engine.ts';
import { StoreError } from '../errors.ts';
import { objectKey } from '../index/keys.ts';
import { encodeObject, type ObjectRecord } from '../index/records.ts';
import type { ChangeObject, CopyObject, DeleteObject, ObjectInfo } from '../port.ts';
import { checkCondition } from './conditions.ts';
import { describeObject } from './describe.ts';
import { replaceObject } from './put.ts';
import { openObject, requireObject } from './read.ts';

export function deleteObject(engine: Engine, request: DeleteObject): Promise<{ readonly deleted: boolean }> {
  const { bucket, key, condition } = request;
  const bucketRecord = engine.buckets.require(bucket);
  const indexKey = objectKey(bucketRecord.id, key);
  return engine.committer.commit(() => {
    engine.buckets.requireSame(bucket, bucketRecord);
    const current = engine.index.objects.get(indexKey);
    checkCondition(condition, current, request);
    if (current === undefined) return { deleted: false };
    engine.index.objectsRaw.removeSync(indexKey);
    engine.usage.add(bucketRecord.id, -1, -current.size);
    engine.references.release(current.body);
    return { deleted: true };
  });
}

export async function changeObject(engine: Engine, { bucket, key, change }: ChangeObject): Promise<void> {
  const bucketRecord = engine.buckets.require(bucket);
  const indexKey = objectKey(bucketRecord.id, key);
  await engine.committer.commit(() => {
    engine.buckets.requireSame(bucket, bucketRecord);
    const current = engine.index.objects.get(indexKey);
    if (current === undefined) throw new StoreError('no-such-key', `there is no object ${key}`, { bucket, key });
    engine.index.objectsRaw.putSync(indexKey, encodeObject({ ...current, ...change }));
  });
}

/**
 * The copy shares the body of its source, so its cost does not grow with the size; except where S3 gives the copy a
 * digest that the source does not have (the MD5 of a multipart object, a checksum of another algorithm), which takes one
 * read of the bytes.
 */
export async function copyObject(engine: Engine, request: CopyObject): Promise<ObjectInfo> {
  const { source, bucket, key } = request;
  const sourceBucket = engine.buckets.require(source.bucket);
  const targetBucket = engine.buckets.require(bucket);
  engine.space.assertRoom(0, 'index');
  const sourceKey = objectKey(sourceBucket.id, source.key);
  const targetKey = objectKey(targetBucket.id, key);
  for (let attempt = 0; ; attempt += 1) {
    const seen = requireObject(engine, source.bucket, source.key);
    request.accept(describeObject(engine.references, source.bucket, source.key, seen));
    const digests = await copyDigests(engine, request, seen);
    const outcome = await engine.committer.commit(() => {
      engine.buckets.requireSame(source.bucket, sourceBucket);
      engine.buckets.requireSame(bucket, targetBucket);
      const now = engine.index.objects.get(sourceKey);
      if (now === undefined) throw new StoreError('no-such-key', `there is no object ${source.key}`, source);
      // Replaced while its digests were read: what was accepted and digested is not what is there.
      if (!sameVersion(seen, now)) return undefined;
      const current = engine.index.objects.get(targetKey);
      checkCondition(request.condition, current, request);
      const record: ObjectRecord = {
        ...now,
        ...request.attributes,
        ...digests,
        modified: engine.clock.now(),
        body: engine.references.share(now.body),
      };
      replaceObject(engine, targetBucket.id, targetKey, current, record);
      return record;
    });
    if (outcome !== undefined) return describeObject(engine.references, bucket, key, outcome);
    if (attempt === 10) throw new StoreError('busy', `${source.key} keeps changing while it is copied`, source);
  }
}

function sameVersion(a: ObjectRecord, b: ObjectRecord): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function copyDigests(
  engine: Engine,
  request: CopyObject,
  source: ObjectRecord,
): Promise<{ readonly etag: string; readonly checksum: Checksum | undefined }> {
  const algorithm = request.checksumAlgorithm ?? source.checksum?.algorithm;
  const keepsChecksum = source.checksum?.type === 'FULL_OBJECT' && source.checksum.algorithm === algorithm;
  const keepsEtag = source.etag.length === 32;
  if (keepsEtag && (algorithm === undefined || keepsChecksum)) return { etag: source.etag, checksum: source.checksum };
  return readDigests(engine, request, algorithm);
}

async function readDigests(engine: Engine, request: CopyObject, algorithm: ChecksumAlgorithm | undefined) {
  const { source } = request;
  const set = new DigestSet(algorithm === undefined ? ['MD5'] : ['MD5', algorithm]);
  const object = await openObject(engine, source.bucket, source.key);
  try {
    for await (const chunk of object.read(0, object.info.size)) set.update(chunk);
  } finally {
    await object.close();
  }
  const digests = set.digest();
  const checksum = algorithm === undefined ? undefined : digests.get(algorithm);
  return {
    etag: digests.get('MD5')?.toString('hex') ?? object.info.etag,
    checksum: algorithm === undefined || checksum === undefined ? undefined : fullObjectChecksum(algorithm, checksum),
  };
}
