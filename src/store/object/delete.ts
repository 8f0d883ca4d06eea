import type { Engine } from '../engine.ts';
import { objectKey } from '../index/keys.ts';
import type { DeletedObject, DeleteObject } from '../port.ts';
import { checkCondition } from './conditions.ts';
import { checkVersionId } from './read.ts';
import { checkDeletable } from './retention.ts';
import { deleteCurrent, findVersion, removeVersion } from './versions.ts';

export async function deleteObject(engine: Engine, request: DeleteObject): Promise<DeletedObject> {
  const { bucket, versionId } = request;
  if (versionId !== undefined) checkVersionId(versionId, request);
  const bucketRecord = engine.buckets.require(bucket);
  return engine.committer.commit(() => {
    const bucketNow = engine.buckets.requireSame(bucket, bucketRecord);
    const name = { bucketId: bucketNow.id, key: request.key };
    if (versionId !== undefined) return deleteVersion(engine, request, name, versionId);
    const current = engine.index.objects.get(objectKey(name.bucketId, name.key));
    checkCondition(request.condition, current, request);
    if (current === undefined && bucketNow.versioning === undefined) return NOTHING;
    const marker = deleteCurrent(engine, bucketNow, name, current);
    return { deleted: true, versionId: marker?.id, deleteMarker: marker !== undefined };
  });
}

const NOTHING: DeletedObject = { deleted: false, versionId: undefined, deleteMarker: false };

/** Inside a transaction. */
function deleteVersion(
  engine: Engine,
  request: DeleteObject,
  name: { readonly bucketId: number; readonly key: string },
  versionId: string,
): DeletedObject {
  const found = findVersion(engine, name, versionId);
  checkCondition(request.condition, found?.record, request);
  if (found === undefined) return { ...NOTHING, versionId };
  checkDeletable(found.record, engine.clock.now(), request.bypassGovernance === true, request);
  removeVersion(engine, name, found);
  return { deleted: true, versionId, deleteMarker: found.record.deleteMarker === true };
}
