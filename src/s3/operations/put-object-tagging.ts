import { xmlBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { refuseVersion } from '../wire/refusals.ts';
import { parseTagging } from '../wire/tags.ts';

export const putObjectTagging = defineOperation({
  name: 'PutObjectTagging',
  route: { method: 'PUT', scope: 'object', query: { tagging: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => {
    refuseVersion(query, key);
    return { bucket, key };
  },
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:PutObjectTagging', bucket, key }] },
  body: xmlBody({ maxBytes: 256 * 1024, required: true, checksums: 'body' }, parseTagging),
  handle: ({ bucket, key }, { store }, tags) => store.changeObject({ bucket, key, change: { tags } }),
  write: () => ({ status: 200 }),
});
