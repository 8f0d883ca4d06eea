import type { Engine } from '../engine.ts';
import type { ObjectRecord } from '../index/records.ts';
import type { ChangeObject, ObjectInfo } from '../port.ts';
import { describeObject } from './describe.ts';
import { requireVersion } from './read.ts';
import { checkLockable, checkRetentionChange } from './retention.ts';
import { rewriteVersion } from './versions.ts';

/** One version's tags, ACL, retention or legal hold. */
export function changeObject(engine: Engine, request: ChangeObject): Promise<ObjectInfo> {
  const { bucket, key, versionId, change } = request;
  const bucketRecord = engine.buckets.require(bucket);
  return engine.committer.commit(() => {
    const here = { name: bucket, record: engine.buckets.requireSame(bucket, bucketRecord) };
    const found = requireVersion(engine, here, key, versionId);
    checkLockable(here.record, change, engine.clock.now(), request);
    if ('retention' in change) checkRetention(engine, found.record, request);
    const record = { ...found.record, ...change };
    rewriteVersion(engine, { bucketId: here.record.id, key }, found, record);
    return describeObject(engine.references, here, key, record);
  });
}

function checkRetention(engine: Engine, record: ObjectRecord, request: ChangeObject): void {
  const bypass = request.bypassGovernance === true;
  checkRetentionChange(record, request.change.retention, engine.clock.now(), bypass, request);
}
