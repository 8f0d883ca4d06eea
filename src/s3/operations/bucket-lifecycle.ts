import { decodeLifecycle, encodeLifecycle } from '../../store/lifecycle/rules.ts';
import { noBody, xmlBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { lifecycleXml, parseLifecycle } from '../wire/lifecycle.ts';
import { xmlDocument } from '../wire/xml-out.ts';

const QUERY = { lifecycle: true } as const;
/** The only value there is here: no rule moves objects to another class. */
const MINIMUM_SIZE = ['x-amz-transition-default-minimum-object-size', 'all_storage_classes_128K'];

export const getBucketLifecycle = defineOperation({
  name: 'GetBucketLifecycleConfiguration',
  route: { method: 'GET', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetLifecycleConfiguration', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }) => {
    const kept = await store.bucketConfiguration(bucket, 'lifecycle');
    if (kept !== undefined) return decodeLifecycle(kept);
    throw new S3Error('NoSuchLifecycleConfiguration', undefined, { elements: { BucketName: bucket } });
  },
  write: (rules) => xmlReply(xmlDocument('LifecycleConfiguration', lifecycleXml(rules)), MINIMUM_SIZE),
});

export const putBucketLifecycle = defineOperation({
  name: 'PutBucketLifecycleConfiguration',
  route: { method: 'PUT', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutLifecycleConfiguration', bucket }] },
  body: xmlBody({ maxBytes: 1024 * 1024, required: true, checksums: 'body' }, parseLifecycle),
  handle: ({ bucket }, { store }, rules) => store.setBucketConfiguration(bucket, 'lifecycle', encodeLifecycle(rules)),
  write: () => ({ status: 200, headers: MINIMUM_SIZE }),
});

export const deleteBucketLifecycle = defineOperation({
  name: 'DeleteBucketLifecycle',
  route: { method: 'DELETE', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutLifecycleConfiguration', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.setBucketConfiguration(bucket, 'lifecycle', undefined),
  write: () => ({ status: 204 }),
});
