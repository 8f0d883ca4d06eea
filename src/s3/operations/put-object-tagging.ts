import { xmlBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { parseTagging } from '../wire/tags.ts';
import { parseVersionId, versionHeader } from '../wire/versions.ts';

export const putObjectTagging = defineOperation({
  name: 'PutObjectTagging',
  route: { method: 'PUT', scope: 'object', query: { tagging: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: {
    by: 'checks',
    of: ({ bucket, key, versionId }) => [
      { action: versionId === undefined ? 's3:PutObjectTagging' : 's3:PutObjectVersionTagging', bucket, key },
    ],
  },
  body: xmlBody({ maxBytes: 256 * 1024, required: true, checksums: 'body' }, parseTagging),
  handle: ({ bucket, key, versionId }, { store }, tags) =>
    store.changeObject({ bucket, key, versionId, change: { tags } }),
  write: ({ versionId }) => ({ status: 200, headers: versionHeader(versionId) }),
});
