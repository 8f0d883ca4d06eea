import { accessDenied, type Caller } from '../access.ts';
import { effectivePublicAccessBlock, type ObjectOwnership, ownershipOf } from '../bucket-access.ts';
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
    refuseAclRequest(request);
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
 * With ownership enforced, lists that change nothing are accepted.
 * @throws S3Error `AccessControlListNotSupported`
 */
export function refuseAclRequest(request: AclRequest): void {
  if (request.kind === 'none') return;
  if (request.kind === 'canned' && (request.name === 'private' || request.name === 'bucket-owner-full-control')) return;
  throw new S3Error('AccessControlListNotSupported');
}

/** @throws S3Error `AccessDenied` when BlockPublicAcls is on */
export async function refusePublic(acl: Acl, bucket: string, { store }: Context): Promise<void> {
  if (!acl.grants.some(isPublicGrant)) return;
  if ((await effectivePublicAccessBlock(store, bucket)).blockPublicAcls) {
    throw accessDenied('Public access control lists are blocked by the BlockPublicAcls setting of the bucket.');
  }
}
