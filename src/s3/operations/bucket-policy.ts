import { isPublic, MAX_POLICY_BYTES, PolicyError, parsePolicy } from '../../policy/index.ts';
import { accessDenied } from '../access.ts';
import { isPublicGrant } from '../acl/model.ts';
import { noBody, smallBody } from '../body.ts';
import { bucketAcl, effectivePublicAccessBlock, ownershipOf, parsedPolicy } from '../bucket-access.ts';
import { S3Error } from '../errors.ts';
import { isConditionKey } from '../known-condition-keys.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { decodeUtf8 } from '../wire/text.ts';
import { element, xmlDocument } from '../wire/xml-out.ts';

const QUERY = { policy: true } as const;

export const getBucketPolicy = defineOperation({
  name: 'GetBucketPolicy',
  route: { method: 'GET', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketPolicy', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }) => {
    const text = await store.bucketConfiguration(bucket, 'policy');
    if (text === undefined) throw new S3Error('NoSuchBucketPolicy', undefined, { elements: { BucketName: bucket } });
    return text;
  },
  write: (text) => ({ status: 200, headers: ['Content-Type', 'application/json'], body: text }),
});

export const putBucketPolicy = defineOperation({
  name: 'PutBucketPolicy',
  route: { method: 'PUT', scope: 'bucket', query: QUERY },
  parse: ({ bucket, headers }) => ({
    bucket,
    confirmed: String(headers['x-amz-confirm-remove-self-bucket-access'] ?? '').toLowerCase() === 'true',
  }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketPolicy', bucket }] },
  // Larger than a policy may be, so that one that is too large is told so.
  body: smallBody({ maxBytes: 16 * MAX_POLICY_BYTES, required: true, checksums: 'body' }, (bytes) => decodeUtf8(bytes)),
  handle: async ({ bucket }, { store }, text) => {
    const policy = checked(text, bucket);
    if (isPublic(policy) && (await effectivePublicAccessBlock(store, bucket)).blockPublicPolicy) {
      throw accessDenied('Public policies are blocked by the BlockPublicPolicy setting of the bucket.');
    }
    await store.setBucketConfiguration(bucket, 'policy', text);
  },
  write: () => ({ status: 204 }),
});

/** @throws S3Error `MalformedPolicy`, `PolicyTooLarge` */
function checked(text: string | undefined, bucket: string) {
  if (text === undefined) throw new S3Error('MalformedPolicy');
  try {
    const policy = parsePolicy(text, { kind: 'bucket', bucket });
    for (const key of policy.keys) {
      if (!isConditionKey(key)) throw new PolicyError('malformed', `Policy has an invalid condition key: ${key}`, key);
    }
    return policy;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    if (error.code === 'too-large') throw new S3Error('PolicyTooLarge', undefined, { cause: error });
    const elements = error.subject === undefined ? {} : { Detail: error.subject };
    throw new S3Error('MalformedPolicy', error.message, { cause: error, elements });
  }
}

export const deleteBucketPolicy = defineOperation({
  name: 'DeleteBucketPolicy',
  route: { method: 'DELETE', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:DeleteBucketPolicy', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.setBucketConfiguration(bucket, 'policy', undefined),
  write: () => ({ status: 204 }),
});

/** Says what policy and list together make of the bucket. S3 answers only when there is a policy; here a list is enough. */
export const getBucketPolicyStatus = defineOperation({
  name: 'GetBucketPolicyStatus',
  route: { method: 'GET', scope: 'bucket', query: { policyStatus: true } },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketPolicyStatus', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }) => {
    const { owner } = await store.bucket(bucket);
    const text = await store.bucketConfiguration(bucket, 'policy');
    if (text === undefined && (await ownershipOf(store, bucket)) === 'BucketOwnerEnforced') {
      throw new S3Error('NoSuchBucketPolicy', undefined, { elements: { BucketName: bucket } });
    }
    const block = await effectivePublicAccessBlock(store, bucket);
    const byAcl = !block.ignorePublicAcls && (await bucketAcl(store, bucket, owner)).grants.some(isPublicGrant);
    return byAcl || (text !== undefined && !block.restrictPublicBuckets && isPublic(parsedPolicy(text, bucket)));
  },
  write: (open) => xmlReply(xmlDocument('PolicyStatus', element('IsPublic', open))),
});
