import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { refuseVersion } from '../wire/refusals.ts';
import { xmlDocument } from '../wire/xml-out.ts';
import { aclXml } from './unconfigured.ts';

/** With ownership enforced every object belongs to the bucket's owner. */
export const getObjectAcl = defineOperation({
  name: 'GetObjectAcl',
  route: { method: 'GET', scope: 'object', query: { acl: true }, allows: ['versionId'] },
  parse: ({ bucket, key, query }) => {
    refuseVersion(query, key);
    return { bucket, key };
  },
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:GetObjectAcl', bucket, key }] },
  body: noBody,
  handle: async ({ bucket, key }, { store }) => {
    await store.objectInfo(bucket, key);
    return store.bucket(bucket);
  },
  write: ({ owner }) => xmlReply(xmlDocument('AccessControlPolicy', aclXml(owner))),
});
