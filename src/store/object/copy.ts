import type { Checksum, ChecksumAlgorithm } from '../../checksum/index.ts';
import { DigestSet, fullObjectChecksum } from '../../checksum/index.ts';
import type { Engine } from '../engine.ts';
import { StoreError } from '../errors.ts';
import { objectKey } from '../index/keys.ts';
import type { ObjectRecord } from '../index/records.ts';
import type { CopyObject, ObjectInfo } from '../port.ts';
import { checkCondition } from './conditions.ts';
import { describeObject } from './describe.ts';
import { openObject, requireVersion } from './read.ts';
import { checkLockable } from './retention.ts';
import { storeCurrent } from './versions.ts';

/**
 * The copy shares the body of its source, so its cost does not grow with the size; except where S3 gives the copy a
 * digest that the source does not have (the MD5 of a multipart object, a checksum of another algorithm), which takes one
 * read of the bytes.
 */
export async function copyObject(engine: Engine, request: CopyObject): Promise<ObjectInfo> {
  const { source, bucket, key, attributes } = request;
  const from = { name: source.bucket, record: engine.buckets.require(source.bucket) };
  const target = engine.buckets.require(bucket);
  engine.space.assertRoom(0, 'index');
  checkLockable(target, attributes, engine.clock.now(), request);
  for (let attempt = 0; ; attempt += 1) {
    const { record: seen } = requireVersion(engine, from, source.key, source.versionId);
    request.accept(describeObject(engine.references, from, source.key, seen));
    const digests = await copyDigests(engine, request, seen);
    const outcome = await engine.committer.commit(() => {
      engine.buckets.requireSame(source.bucket, from.record);
      const targetNow = engine.buckets.requireSame(bucket, target);
      const { record: now } = requireVersion(engine, from, source.key, source.versionId);
      // Replaced while its digests were read: what was accepted and digested is not what is there.
      if (!sameVersion(seen, now)) return undefined;
      const current = engine.index.objects.get(objectKey(target.id, key));
      checkCondition(request.condition, current, request);
      const copied: ObjectRecord = {
        ...now,
        ...NOT_INHERITED,
        ...attributes,
        ...digests,
        modified: engine.clock.now(),
        body: engine.references.share(now.body),
      };
      const record = storeCurrent(engine, targetNow, { bucketId: target.id, key }, current, copied);
      return describeObject(engine.references, { name: bucket, record: targetNow }, key, record);
    });
    if (outcome !== undefined) return outcome;
    if (attempt === 10) throw new StoreError('busy', `${source.key} keeps changing while it is copied`, source);
  }
}

/** What belongs to the one version that it was put on. */
const NOT_INHERITED = { acl: undefined, retention: undefined, legalHold: undefined };

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
  const object = await openObject(engine, source.bucket, source.key, source.versionId);
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
