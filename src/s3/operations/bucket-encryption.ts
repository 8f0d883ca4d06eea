import { noBody, xmlBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { malformed, type XmlElement } from '../wire/xml-in.ts';

const QUERY = { encryption: true } as const;

function parseEncryption(root: XmlElement | undefined): string {
  if (root?.name !== 'ServerSideEncryptionConfiguration' || root.children.length === 0) throw malformed();
  return 'accepted';
}

/** Nothing is encrypted by default here, so the truthful answer is S3's "not configured": docs/decisions/0110. */
export const getBucketEncryption = defineOperation({
  name: 'GetBucketEncryption',
  route: { method: 'GET', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetEncryptionConfiguration', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }): Promise<never> => {
    await store.bucket(bucket);
    const elements = { BucketName: bucket };
    throw new S3Error('ServerSideEncryptionConfigurationNotFoundError', undefined, { elements });
  },
  write: () => ({ status: 200 }),
});

export const putBucketEncryption = defineOperation({
  name: 'PutBucketEncryption',
  route: { method: 'PUT', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutEncryptionConfiguration', bucket }] },
  body: xmlBody({ maxBytes: 64 * 1024, required: true, checksums: 'body' }, parseEncryption),
  handle: async ({ bucket }, { store }): Promise<never> => {
    await store.bucket(bucket);
    throw new S3Error(
      'NotImplemented',
      'This server has no keys to encrypt a bucket with: encrypt the disk, or send a key with each request (SSE-C).',
      { elements: { Header: 'ServerSideEncryptionConfiguration' } },
    );
  },
  write: () => ({ status: 200 }),
});

/** What is not there is easily removed. */
export const deleteBucketEncryption = defineOperation({
  name: 'DeleteBucketEncryption',
  route: { method: 'DELETE', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutEncryptionConfiguration', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.bucket(bucket),
  write: () => ({ status: 204 }),
});
