import { noBody, xmlBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { corsRulesXml, parseCorsRules } from '../wire/cors-rules.ts';
import { xmlDocument } from '../wire/xml-out.ts';

const QUERY = { cors: true } as const;

export const getBucketCors = defineOperation({
  name: 'GetBucketCors',
  route: { method: 'GET', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketCORS', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }) => {
    const kept = await store.bucketConfiguration(bucket, 'cors');
    if (kept !== undefined) return kept;
    throw new S3Error('NoSuchCORSConfiguration', undefined, { elements: { BucketName: bucket } });
  },
  write: (kept) => xmlReply(xmlDocument('CORSConfiguration', kept)),
});

export const putBucketCors = defineOperation({
  name: 'PutBucketCors',
  route: { method: 'PUT', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketCORS', bucket }] },
  body: xmlBody({ maxBytes: 64 * 1024, required: true, checksums: 'body' }, parseCorsRules),
  handle: ({ bucket }, { store }, rules) => store.setBucketConfiguration(bucket, 'cors', corsRulesXml(rules)),
  write: () => ({ status: 200 }),
});

export const deleteBucketCors = defineOperation({
  name: 'DeleteBucketCors',
  route: { method: 'DELETE', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketCORS', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.setBucketConfiguration(bucket, 'cors', undefined),
  write: () => ({ status: 204 }),
});
