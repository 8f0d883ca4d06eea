import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { refuseVersion } from '../wire/refusals.ts';

export const deleteObjectTagging = defineOperation({
  name: 'DeleteObjectTagging',
  route: { method: 'DELETE', scope: 'object', query: { tagging: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => {
    refuseVersion(query, key);
    return { bucket, key };
  },
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:DeleteObjectTagging', bucket, key }] },
  body: noBody,
  handle: ({ bucket, key }, { store }) => store.changeObject({ bucket, key, change: { tags: [] } }),
  write: () => ({ status: 204 }),
});
