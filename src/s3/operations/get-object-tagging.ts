import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { sortedTags, taggingXml } from '../wire/tags.ts';
import { parseVersionId, versionHeader } from '../wire/versions.ts';
import { xmlDocument } from '../wire/xml-out.ts';

export const getObjectTagging = defineOperation({
  name: 'GetObjectTagging',
  route: { method: 'GET', scope: 'object', query: { tagging: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: {
    by: 'checks',
    of: ({ bucket, key, versionId }) => [
      { action: versionId === undefined ? 's3:GetObjectTagging' : 's3:GetObjectVersionTagging', bucket, key },
    ],
  },
  body: noBody,
  handle: ({ bucket, key, versionId }, { store }) => store.objectInfo(bucket, key, versionId),
  write: ({ tags, versionId }) =>
    xmlReply(xmlDocument('Tagging', taggingXml(sortedTags(tags))), versionHeader(versionId)),
});
