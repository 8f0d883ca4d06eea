import { accessDenied } from '../access.ts';
import { aclOf, parseAclHeaders, resolveGrants } from '../acl/headers.ts';
import { type Acl, encodeAcl, isPrivate } from '../acl/model.ts';
import { refuseAclRequest, refusePublic } from '../acl/written.ts';
import { aclXml, parseAcl } from '../acl/xml.ts';
import { noBody, xmlBody } from '../body.ts';
import { bucketAcl, ownershipOf } from '../bucket-access.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { xmlDocument } from '../wire/xml-out.ts';

const QUERY = { acl: true } as const;

export const getBucketAcl = defineOperation({
  name: 'GetBucketAcl',
  route: { method: 'GET', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketAcl', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store, accounts }) => {
    const { owner } = await store.bucket(bucket);
    return aclXml(await bucketAcl(store, bucket, owner), accounts);
  },
  write: (content) => xmlReply(xmlDocument('AccessControlPolicy', content)),
});

export const putBucketAcl = defineOperation({
  name: 'PutBucketAcl',
  route: { method: 'PUT', scope: 'bucket', query: QUERY },
  parse: ({ bucket, headers }) => ({ bucket, request: parseAclHeaders(headers) }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketAcl', bucket }] },
  body: xmlBody({ maxBytes: 256 * 1024, required: false, checksums: 'body' }, parseAcl),
  handle: async ({ bucket, request }, context, document) => {
    const { store, accounts } = context;
    const { owner } = await store.bucket(bucket);
    let acl: Acl;
    if (document === undefined) {
      if (request.kind === 'none') throw new S3Error('MissingSecurityHeader');
      acl = aclOf(request, owner, owner, accounts);
    } else {
      if (request.kind !== 'none') throw new S3Error('UnexpectedContent');
      // The owner of a bucket cannot be changed.
      if (document.owner !== owner) throw accessDenied();
      acl = { owner, grants: resolveGrants(document.grants, accounts) };
    }
    if ((await ownershipOf(store, bucket)) === 'BucketOwnerEnforced') {
      if (document === undefined) await refuseAclRequest(request, bucket, context);
      else if (!isPrivate(acl)) throw new S3Error('AccessControlListNotSupported');
      return;
    }
    await refusePublic(acl, bucket, context);
    await store.setBucketConfiguration(bucket, 'acl', isPrivate(acl) ? undefined : encodeAcl(acl));
  },
  write: () => ({ status: 200 }),
});
