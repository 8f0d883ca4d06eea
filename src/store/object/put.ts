import type { DigestName } from '../../checksum/index.ts';
import type { WrittenBody } from '../body/writer.ts';
import { assertRoomFor, type Engine } from '../engine.ts';
import { objectKey } from '../index/keys.ts';
import type { ObjectRecord } from '../index/records.ts';
import type { ObjectInfo, PutObject } from '../port.ts';
import { checkCondition } from './conditions.ts';
import { describeObject } from './describe.ts';
import { checkLockable } from './retention.ts';
import { storeCurrent } from './versions.ts';

const MD5_ONLY: readonly DigestName[] = ['MD5'];

/** MD5 makes the entity tag, whatever else is asked for. */
export function withMd5(digests: readonly DigestName[]): readonly DigestName[] {
  if (digests.length === 0) return MD5_ONLY;
  return digests.includes('MD5') ? digests : [...digests, 'MD5'];
}

export function md5Of(written: WrittenBody): string {
  const md5 = written.digests.get('MD5');
  if (md5 === undefined) throw new TypeError('no MD5 was computed');
  return md5.toString('hex');
}

export async function putObject(engine: Engine, request: PutObject): Promise<ObjectInfo> {
  const { bucket, key, condition } = request;
  const bucketRecord = engine.buckets.require(bucket);
  const indexKey = objectKey(bucketRecord.id, key);
  assertRoomFor(engine, request.body);
  checkLockable(bucketRecord, request, engine.clock.now(), request);
  // Checked again in the commit; here it spares the client from sending a body that cannot be taken.
  if (condition !== undefined) checkCondition(condition, engine.index.objects.get(indexKey), request);
  const written = await engine.writer.write(request.body, withMd5(request.digests));
  try {
    const checksum = request.accept(written.digests, written.size);
    const sealed = request.seal?.();
    const record: ObjectRecord = {
      size: written.size,
      modified: engine.clock.now(),
      etag: sealed?.etag ?? md5Of(written),
      headers: request.headers,
      metadata: request.metadata,
      tags: request.tags,
      storageClass: request.storageClass,
      acl: request.acl,
      sse: sealed?.sse ?? request.sse,
      retention: request.retention,
      legalHold: request.legalHold,
      checksum,
      body: written.reference,
    };
    const stored = await engine.committer.commit(() => {
      const bucketNow = engine.buckets.requireSame(bucket, bucketRecord);
      const current = engine.index.objects.get(indexKey);
      checkCondition(condition, current, request);
      engine.references.adopt(written);
      const name = { bucketId: bucketRecord.id, key };
      return { bucketNow, record: storeCurrent(engine, bucketNow, name, current, record) };
    });
    written.keep();
    return describeObject(engine.references, { name: bucket, record: stored.bucketNow }, key, stored.record);
  } catch (error) {
    await written.discard();
    throw error;
  }
}
