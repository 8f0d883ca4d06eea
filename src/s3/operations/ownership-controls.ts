import { isPrivate } from '../acl/model.ts';
import { noBody, xmlBody } from '../body.ts';
import { bucketAcl, OWNERSHIPS, ownershipControls, setOwnership } from '../bucket-access.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { fields, malformed, textOf, type XmlElement } from '../wire/xml-in.ts';
import { element, xmlDocument } from '../wire/xml-out.ts';

const QUERY = { ownershipControls: true } as const;

export const getBucketOwnershipControls = defineOperation({
  name: 'GetBucketOwnershipControls',
  route: { method: 'GET', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:GetBucketOwnershipControls', bucket }] },
  body: noBody,
  handle: async ({ bucket }, { store }) => {
    const ownership = await ownershipControls(store, bucket);
    if (ownership !== undefined) return ownership;
    throw new S3Error('OwnershipControlsNotFoundError', undefined, { elements: { BucketName: bucket } });
  },
  write: (ownership) =>
    xmlReply(xmlDocument('OwnershipControls', `<Rule>${element('ObjectOwnership', ownership)}</Rule>`)),
});

export const putBucketOwnershipControls = defineOperation({
  name: 'PutBucketOwnershipControls',
  route: { method: 'PUT', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketOwnershipControls', bucket }] },
  body: xmlBody({ maxBytes: 64 * 1024, required: true, checksums: 'body' }, parseOwnership),
  handle: async ({ bucket }, { store }, ownership) => {
    const { owner } = await store.bucket(bucket);
    // Grants to others would silently end; they have to be taken back first.
    if (ownership === 'BucketOwnerEnforced' && !isPrivate(await bucketAcl(store, bucket, owner))) {
      throw new S3Error('InvalidBucketAclWithObjectOwnership');
    }
    await setOwnership(store, bucket, ownership);
  },
  write: () => ({ status: 200 }),
});

export const deleteBucketOwnershipControls = defineOperation({
  name: 'DeleteBucketOwnershipControls',
  route: { method: 'DELETE', scope: 'bucket', query: QUERY },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:PutBucketOwnershipControls', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => setOwnership(store, bucket, undefined),
  write: () => ({ status: 204 }),
});

function parseOwnership(root: XmlElement | undefined) {
  if (root?.name !== 'OwnershipControls') throw malformed();
  const { Rule } = fields(root, ['Rule']);
  if (Rule === undefined) throw malformed();
  const wanted = textOf(fields(Rule, ['ObjectOwnership']).ObjectOwnership).trim();
  const ownership = OWNERSHIPS.find((known) => known === wanted);
  if (ownership === undefined) throw malformed();
  return ownership;
}
