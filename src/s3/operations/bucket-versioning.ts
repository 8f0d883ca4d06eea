import { noBody, xmlBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { parseVersioning } from '../wire/versions.ts';
import { optional, xmlDocument } from '../wire/xml-out.ts';

export const getBucketVersioning = defineOperation({
  name: 'GetBucketVersioning',
  route: { method: 'GET', scope: 'bucket', query: { versioning: true } },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketVersioning', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.bucket(bucket),
  // Of a bucket on which it was never configured S3 says nothing.
  write: ({ versioning }) => xmlReply(xmlDocument('VersioningConfiguration', optional('Status', versioning))),
});

export const putBucketVersioning = defineOperation({
  name: 'PutBucketVersioning',
  route: { method: 'PUT', scope: 'bucket', query: { versioning: true } },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketVersioning', bucket }] },
  body: xmlBody({ maxBytes: 16 * 1024, required: true, checksums: 'body' }, parseVersioning),
  handle: ({ bucket }, { store }, status) => store.setVersioning(bucket, status),
  write: () => ({ status: 200 }),
});
