import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { escapeXml, xmlDocument } from '../wire/xml-out.ts';

export const getBucketLocation = defineOperation({
  name: 'GetBucketLocation',
  route: { method: 'GET', scope: 'bucket', query: { location: true } },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketLocation', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.bucket(bucket),
  // Buckets of us-east-1 have an empty constraint.
  write: ({ region }) => xmlReply(xmlDocument('LocationConstraint', region === 'us-east-1' ? '' : escapeXml(region))),
});
