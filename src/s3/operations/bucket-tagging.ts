import { noBody, xmlBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { parseBucketTagging, taggingXml } from '../wire/tags.ts';
import { xmlDocument } from '../wire/xml-out.ts';

const QUERY = { tagging: true } as const;

export const getBucketTagging = defineOperation({
  name: 'GetBucketTagging',
  route: { method: 'GET', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketTagging', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }) => {
    const kept = await store.bucketConfiguration(bucket, 'tagging');
    if (kept !== undefined) return kept;
    throw new S3Error('NoSuchTagSet', undefined, { elements: { BucketName: bucket } });
  },
  write: (kept) => xmlReply(xmlDocument('Tagging', kept)),
});

export const putBucketTagging = defineOperation({
  name: 'PutBucketTagging',
  route: { method: 'PUT', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketTagging', bucket }] },
  body: xmlBody({ maxBytes: 256 * 1024, required: true, checksums: 'body' }, parseBucketTagging),
  handle: ({ bucket }, { store }, tags) =>
    store.setBucketConfiguration(bucket, 'tagging', tags.length === 0 ? undefined : taggingXml(tags)),
  write: () => ({ status: 204 }),
});

export const deleteBucketTagging = defineOperation({
  name: 'DeleteBucketTagging',
  route: { method: 'DELETE', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketTagging', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.setBucketConfiguration(bucket, 'tagging', undefined),
  write: () => ({ status: 204 }),
});
