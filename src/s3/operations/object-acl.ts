import { accessDenied } from '../access.ts';
import { aclOf, parseAclHeaders, resolveGrants } from '../acl/headers.ts';
import { type Acl, decodeAcl, encodeAcl, isPrivate, privateAcl } from '../acl/model.ts';
import { refuseAclRequest, refusePublic } from '../acl/written.ts';
import { aclXml, parseAcl } from '../acl/xml.ts';
import { noBody, xmlBody } from '../body.ts';
import { ownershipOf } from '../bucket-access.ts';
import { S3Error } from '../errors.ts';
import { type Context, defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { parseVersionId, versionHeader } from '../wire/versions.ts';
import { xmlDocument } from '../wire/xml-out.ts';

const ROUTE = { scope: 'object', query: { acl: true }, allows: ['versionId'] } as const;

export const getObjectAcl = defineOperation({
  name: 'GetObjectAcl',
  route: { method: 'GET', ...ROUTE },
  parse: ({ bucket, key, query }) => ({ bucket, key, versionId: parseVersionId(query) }),
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:GetObjectAcl', bucket, key }] },
  body: noBody,
  handle: async (input, context) => {
    const { acl, versionId } = await currentAcl(input, context);
    return { content: aclXml(acl, context.accounts), versionId };
  },
  write: ({ content, versionId }) => xmlReply(xmlDocument('AccessControlPolicy', content), versionHeader(versionId)),
});

export const putObjectAcl = defineOperation({
  name: 'PutObjectAcl',
  route: { method: 'PUT', ...ROUTE },
  parse: ({ bucket, key, query, headers }) => ({
    bucket,
    key,
    versionId: parseVersionId(query),
    request: parseAclHeaders(headers),
  }),
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:PutObjectAcl', bucket, key }] },
  body: xmlBody({ maxBytes: 256 * 1024, required: false, checksums: 'body' }, parseAcl),
  handle: async ({ request, ...place }, context, document) => {
    const { bucket } = place;
    const { store, accounts } = context;
    const { acl: before, bucketOwner, enforced } = await currentAcl(place, context);
    const { owner } = before;
    let acl: Acl;
    if (document === undefined) {
      if (request.kind === 'none') throw new S3Error('MissingSecurityHeader');
      acl = aclOf(request, owner, bucketOwner, accounts);
    } else {
      if (request.kind !== 'none') throw new S3Error('UnexpectedContent');
      // The owner of an object cannot be changed.
      if (document.owner !== owner) throw accessDenied();
      acl = { owner, grants: resolveGrants(document.grants, accounts) };
    }
    if (enforced) {
      if (document === undefined) await refuseAclRequest(request, bucket, context);
      else if (!isPrivate(acl)) throw new S3Error('AccessControlListNotSupported');
      return;
    }
    await refusePublic(acl, bucket, context);
    const kept = owner === bucketOwner && isPrivate(acl) ? undefined : encodeAcl(acl);
    await store.changeObject({ ...place, change: { acl: kept } });
  },
  write: () => ({ status: 200 }),
});

interface Place {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** With ownership enforced, what an object's list once said does not count. */
async function currentAcl({ bucket, key, versionId }: Place, { store }: Context) {
  const { owner: bucketOwner } = await store.bucket(bucket);
  const enforced = (await ownershipOf(store, bucket)) === 'BucketOwnerEnforced';
  const { acl, versionId: found } = await store.objectInfo(bucket, key, versionId);
  return {
    versionId: found,
    acl: enforced || acl === undefined ? privateAcl(bucketOwner) : decodeAcl(acl),
    bucketOwner,
    enforced,
  };
}
