import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { refuseVersion } from '../wire/refusals.ts';
import { taggingXml } from '../wire/tags.ts';
import { xmlDocument } from '../wire/xml-out.ts';

export const getObjectTagging = defineOperation({
  name: 'GetObjectTagging',
  route: { method: 'GET', scope: 'object', query: { tagging: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => {
    refuseVersion(query, key);
    return { bucket, key };
  },
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:GetObjectTagging', bucket, key }] },
  body: noBody,
  handle: ({ bucket, key }, { store }) => store.objectInfo(bucket, key),
  write: ({ tags }) => xmlReply(xmlDocument('Tagging', taggingXml(tags))),
});
