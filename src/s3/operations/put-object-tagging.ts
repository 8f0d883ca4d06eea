import { xmlBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { parseTagging } from '../wire/tags.ts';
import { parseVersionId, versionHeader } from '../wire/versions.ts';

export const putObjectTagging = defineOperation({
  name: 'PutObjectTagging',
  route: { method: 'PUT', scope: 'object', query: { tagging: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: { by: 'item', why: 'policies may ask for the tags in the body' },
  body: xmlBody({ maxBytes: 256 * 1024, required: true, checksums: 'body' }, parseTagging),
  handle: async ({ bucket, key, versionId }, context, tags) => {
    const action = versionId === undefined ? 's3:PutObjectTagging' : 's3:PutObjectVersionTagging';
    await context.require({ action, bucket, key, versionId, tags });
    return context.store.changeObject({ bucket, key, versionId, change: { tags } });
  },
  write: ({ versionId }) => ({ status: 200, headers: versionHeader(versionId) }),
});
