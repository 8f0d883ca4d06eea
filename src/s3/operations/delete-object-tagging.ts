import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { parseVersionId, versionHeader } from '../wire/versions.ts';

export const deleteObjectTagging = defineOperation({
  name: 'DeleteObjectTagging',
  route: { method: 'DELETE', scope: 'object', query: { tagging: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: {
    by: 'checks',
    of: ({ bucket, key, versionId }) => [
      { action: versionId === undefined ? 's3:DeleteObjectTagging' : 's3:DeleteObjectVersionTagging', bucket, key },
    ],
  },
  body: noBody,
  handle: ({ bucket, key, versionId }, { store }) =>
    store.changeObject({ bucket, key, versionId, change: { tags: [] } }),
  write: ({ versionId }) => ({ status: 204, headers: versionHeader(versionId) }),
});
