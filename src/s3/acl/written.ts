import { accessDenied, type Caller } from '../access.ts';
import {
  effectivePublicAccessBlock,
  isEnforcedExpressly,
  type ObjectOwnership,
  ownershipOf,
} from '../bucket-access.ts';
import { S3Error } from '../errors.ts';
import type { Context } from '../operation.ts';
import { type AclRequest, aclOf } from './headers.ts';
import { type Acl, ANONYMOUS_ID, encodeAcl, isPrivate, isPublicGrant } from './model.ts';

/** The account that a caller's objects belong to. */
export function accountOf(caller: Caller): string {
  return caller.kind === 'anonymous' ? ANONYMOUS_ID : caller.principal;
}

/**
 * The `acl` slot of an object that is being written; undefined: private to the bucket's owner.
 * @throws S3Error `AccessControlListNotSupported`, `AccessDenied` (BlockPublicAcls), `InvalidArgument`
 */
export async function newObjectAcl(
  request: AclRequest,
  bucket: string,
  key: string,
  context: Context,
): Promise<string | undefined> {
  const ownership = await ownershipOf(context.store, bucket);
  if (ownership === 'BucketOwnerEnforced') {
    await refuseAclRequest(request, bucket, context);
    return undefined;
  }
  const { owner: bucketOwner } = await context.store.bucket(bucket);
  const owner = ownerOf(ownership, request, accountOf(context.caller), bucketOwner);
  const acl = aclOf(request, owner, bucketOwner, context.accounts);
  // Within an account PutObject alone does not let a user share what it writes.
  const { caller } = context;
  if (request.kind !== 'none' && caller.kind === 'principal' && caller.user?.owner === false) {
    await context.require({ action: 's3:PutObjectAcl', bucket, key });
  }
  await refusePublic(acl, bucket, context);
  return owner === bucketOwner && isPrivate(acl) ? undefined : encodeAcl(acl);
}

/** BucketOwnerPreferred takes ownership only of what comes with bucket-owner-full-control. */
function ownerOf(ownership: ObjectOwnership, request: AclRequest, writer: string, bucketOwner: string): string {
  const given = request.kind === 'canned' && request.name === 'bucket-owner-full-control';
  return ownership === 'BucketOwnerPreferred' && given ? bucketOwner : writer;
}

/**
 * With ownership enforced S3 takes no list but `bucket-owner-full-control`. Where nobody chose that, `private` is taken
 * as well: it changes nothing, and clients from before the default changed send it with everything they write.
 * @throws S3Error `AccessControlListNotSupported`
 */
export async function refuseAclRequest(request: AclRequest, bucket: string, { store }: Context): Promise<void> {
  if (request.kind === 'none') return;
  if (request.kind === 'canned') {
    if (request.name === 'bucket-owner-full-control') return;
    if (request.name === 'private' && !(await isEnforcedExpressly(store, bucket))) return;
  }
  throw new S3Error('AccessControlListNotSupported');
}

/** @throws S3Error `AccessDenied` when BlockPublicAcls is on */
export async function refusePublic(acl: Acl, bucket: string, { store }: Context): Promise<void> {
  if (!acl.grants.some(isPublicGrant)) return;
  if ((await effectivePublicAccessBlock(store, bucket)).blockPublicAcls) {
    throw accessDenied('Public access control lists are blocked by the BlockPublicAcls setting of the bucket.');
  }
}
