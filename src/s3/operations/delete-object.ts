import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { writeCondition } from '../wire/conditions.ts';
import { asksForBypass, bypassesGovernance } from '../wire/object-lock.ts';
import { parseVersionId, versionHeader } from '../wire/versions.ts';

/**
 * Deleting what is not there succeeds, as S3 does it. With versioning, a delete without a version only marks the object;
 * one with a version is for good.
 */
export const deleteObject = defineOperation({
  name: 'DeleteObject',
  route: { method: 'DELETE', scope: 'object', allows: ['versionId'] },
  parse: ({ bucket, key, query, headers }) => ({
    bucket,
    key,
    versionId: parseVersionId(query),
    bypass: asksForBypass(headers),
    condition: writeCondition(headers),
  }),
  access: {
    by: 'checks',
    of: ({ bucket, key, versionId }) => [
      { action: versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', bucket, key },
    ],
  },
  body: noBody,
  handle: async ({ bypass, ...input }, context) => {
    const bypassGovernance = await bypassesGovernance(bypass, input.bucket, input.key, context);
    return context.store.deleteObject({ ...input, bypassGovernance });
  },
  write: ({ versionId, deleteMarker }) => ({
    status: 204,
    headers: [...(deleteMarker ? ['x-amz-delete-marker', 'true'] : []), ...versionHeader(versionId)],
  }),
});
