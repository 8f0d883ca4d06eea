import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { parseVersionId, versionHeader } from '../wire/versions.ts';
import { xmlDocument } from '../wire/xml-out.ts';
import { aclXml } from './unconfigured.ts';

/** With ownership enforced every object belongs to the bucket's owner. */
export const getObjectAcl = defineOperation({
  name: 'GetObjectAcl',
  route: { method: 'GET', scope: 'object', query: { acl: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: {
    by: 'checks',
    of: ({ bucket, key, versionId }) => [
      { action: versionId === undefined ? 's3:GetObjectAcl' : 's3:GetObjectVersionAcl', bucket, key },
    ],
  },
  body: noBody,
  handle: async ({ bucket, key, versionId }, { store }) => {
    const info = await store.objectInfo(bucket, key, versionId);
    const { owner } = await store.bucket(bucket);
    return { owner, versionId: info.versionId };
  },
  write: ({ owner, versionId }) =>
    xmlReply(xmlDocument('AccessControlPolicy', aclXml(owner)), versionHeader(versionId)),
});
