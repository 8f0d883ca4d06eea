/** Access control lists (S3 User Guide, "Access control list (ACL) overview"). */
export type Permission = 'READ' | 'WRITE' | 'READ_ACP' | 'WRITE_ACP' | 'FULL_CONTROL';
export const PERMISSIONS: readonly Permission[] = ['READ', 'WRITE', 'READ_ACP', 'WRITE_ACP', 'FULL_CONTROL'];

export type Group = 'AllUsers' | 'AuthenticatedUsers' | 'LogDelivery';

export type Grantee = { readonly id: string } | { readonly group: Group };

export interface Grant {
  readonly grantee: Grantee;
  readonly permission: Permission;
}

/** A grantee as it was named: e-mail addresses and ids are looked up later. */
export interface RequestedGrant {
  readonly permission: Permission;
  readonly grantee: { readonly kind: 'id' | 'uri' | 'emailAddress'; readonly value: string };
}

export interface Acl {
  /** The account that owns the bucket or object. */
  readonly owner: string;
  readonly grants: readonly Grant[];
}

/** Who owns what a public bucket got from nobody in particular; S3 has this very id. */
export const ANONYMOUS_ID = '65a011a29cdf8ec533ec3d1ccaae921c';

/** S3's limit (API reference, PutBucketAcl). */
export const MAX_GRANTS = 100;

export function privateAcl(owner: string): Acl {
  return { owner, grants: [{ grantee: { id: owner }, permission: 'FULL_CONTROL' }] };
}

export function isPublicGrant({ grantee }: Grant): boolean {
  return 'group' in grantee && grantee.group !== 'LogDelivery';
}

/** Whether the list says no more than that its owner may do everything, which is what no list says too. */
export function isPrivate({ owner, grants }: Acl): boolean {
  const [grant] = grants;
  if (grants.length !== 1 || grant === undefined || 'group' in grant.grantee) return false;
  return grant.permission === 'FULL_CONTROL' && grant.grantee.id === owner;
}

/** Whether the list grants a permission; `caller` is an account, undefined for anonymous callers. */
export function grants(acl: Acl, permission: Permission, caller: string | undefined, ignorePublic: boolean): boolean {
  return acl.grants.some((grant) => {
    if (grant.permission !== permission && grant.permission !== 'FULL_CONTROL') return false;
    if ('id' in grant.grantee) return grant.grantee.id === caller;
    if (ignorePublic) return false;
    return grant.grantee.group === 'AllUsers' || (grant.grantee.group === 'AuthenticatedUsers' && caller !== undefined);
  });
}

export function encodeAcl(acl: Acl): string {
  return JSON.stringify(acl);
}

const NOTHING: Acl = { owner: '', grants: [] };

/** What `encodeAcl` wrote. Anything else grants nothing. */
export function decodeAcl(text: string): Acl {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('owner' in value) || !('grants' in value)) return NOTHING;
  const { owner, grants: list } = value;
  if (typeof owner !== 'string' || !Array.isArray(list)) return NOTHING;
  return { owner, grants: list.flatMap(grantOf) };
}

function grantOf(value: unknown): readonly Grant[] {
  if (typeof value !== 'object' || value === null || !('grantee' in value) || !('permission' in value)) return [];
  const permission = PERMISSIONS.find((known) => known === value.permission);
  const { grantee } = value;
  if (permission === undefined || typeof grantee !== 'object' || grantee === null) return [];
  if ('id' in grantee && typeof grantee.id === 'string') return [{ grantee: { id: grantee.id }, permission }];
  const group = 'group' in grantee ? GROUPS.find((known) => known === grantee.group) : undefined;
  return group === undefined ? [] : [{ grantee: { group }, permission }];
}

export const GROUPS: readonly Group[] = ['AllUsers', 'AuthenticatedUsers', 'LogDelivery'];

/** Who owns what has this `acl` slot in a bucket. */
export function ownerIn(acl: string | undefined, bucketOwner: string): string {
  return acl === undefined ? bucketOwner : decodeAcl(acl).owner;
}
