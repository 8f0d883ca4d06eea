import { noBody, xmlBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { objectLockXml, parseObjectLock } from '../wire/object-lock.ts';
import { xmlDocument } from '../wire/xml-out.ts';

export const getObjectLockConfiguration = defineOperation({
  name: 'GetObjectLockConfiguration',
  route: { method: 'GET', scope: 'bucket', query: { 'object-lock': true } },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketObjectLockConfiguration', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }) => {
    const { objectLock } = await store.bucket(bucket);
    if (objectLock !== undefined) return objectLock;
    throw new S3Error('ObjectLockConfigurationNotFoundError', undefined, { elements: { BucketName: bucket } });
  },
  write: (lock) => xmlReply(xmlDocument('ObjectLockConfiguration', objectLockXml(lock))),
});

export const putObjectLockConfiguration = defineOperation({
  name: 'PutObjectLockConfiguration',
  route: { method: 'PUT', scope: 'bucket', query: { 'object-lock': true } },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketObjectLockConfiguration', bucket }] },
  body: xmlBody({ maxBytes: 16 * 1024, required: true, checksums: 'body' }, parseObjectLock),
  handle: ({ bucket }, { store }, lock) => store.setObjectLock(bucket, lock),
  write: () => ({ status: 200 }),
});
