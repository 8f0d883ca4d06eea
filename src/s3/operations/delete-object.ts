import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { writeCondition } from '../wire/conditions.ts';
import { refuseVersion } from '../wire/refusals.ts';

/** Deleting what is not there succeeds, as S3 does it. */
export const deleteObject = defineOperation({
  name: 'DeleteObject',
  route: { method: 'DELETE', scope: 'object', allows: ['versionId'] },
  parse: ({ bucket, key, query, headers }) => {
    refuseVersion(query, key);
    return { bucket, key, condition: writeCondition(headers) };
  },
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:DeleteObject', bucket, key }] },
  body: noBody,
  handle: (input, { store }) => store.deleteObject(input),
  write: () => ({ status: 204 }),
});
