import type { IncomingHttpHeaders } from 'node:http';
import type { Accounts } from '../access.ts';
import { invalidArgument, S3Error } from '../errors.ts';
import {
  type Acl,
  type Grant,
  type Grantee,
  MAX_GRANTS,
  type Permission,
  privateAcl,
  type RequestedGrant,
} from './model.ts';
import { GROUP_URIS } from './xml.ts';

const GRANT_HEADERS: readonly (readonly [header: string, permission: Permission])[] = [
  ['x-amz-grant-read', 'READ'],
  ['x-amz-grant-write', 'WRITE'],
  ['x-amz-grant-read-acp', 'READ_ACP'],
  ['x-amz-grant-write-acp', 'WRITE_ACP'],
  ['x-amz-grant-full-control', 'FULL_CONTROL'],
];

const CANNED = [
  'private',
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
  'log-delivery-write',
] as const;
export type CannedAcl = (typeof CANNED)[number];

/** What the headers ask for, not yet tied to an owner. */
export type AclRequest =
  | { readonly kind: 'none' }
  | { readonly kind: 'canned'; readonly name: CannedAcl }
  | { readonly kind: 'grants'; readonly grants: readonly RequestedGrant[] };

const NONE: AclRequest = { kind: 'none' };

/** @throws S3Error `InvalidArgument`, `InvalidRequest` */
export function parseAclHeaders(headers: IncomingHttpHeaders): AclRequest {
  const canned = headers['x-amz-acl'];
  let grants: RequestedGrant[] | undefined;
  for (const [header, permission] of GRANT_HEADERS) {
    const value = headers[header];
    if (value === undefined) continue;
    grants ??= [];
    for (const grantee of String(value).split(',')) grants.push({ permission, grantee: parseGrantee(header, grantee) });
  }
  if (canned === undefined) return grants === undefined ? NONE : { kind: 'grants', grants };
  if (grants !== undefined) {
    throw new S3Error('InvalidRequest', 'Specifying both Canned ACLs and Header Grants is not allowed');
  }
  const name = CANNED.find((known) => known === canned);
  if (name === undefined) throw invalidArgument('x-amz-acl', String(canned), '');
  return { kind: 'canned', name };
}

/** `id="…"`, `uri="…"` or `emailAddress="…"`. */
function parseGrantee(header: string, text: string): RequestedGrant['grantee'] {
  const match = /^\s*(id|uri|emailAddress)\s*=\s*(?:"([^"]*)"|([^"\s]+))\s*$/i.exec(text);
  const value = match?.[2] ?? match?.[3];
  const name = match?.[1]?.toLowerCase();
  if (value === undefined || name === undefined) throw invalidArgument(header, text, 'Argument format not recognized');
  return { kind: name === 'id' ? 'id' : name === 'uri' ? 'uri' : 'emailAddress', value };
}

/**
 * The list that a request wants.
 * @param owner of what the list is for
 * @param bucketOwner the same for a bucket
 * @throws S3Error `InvalidArgument`, `UnresolvableGrantByEmailAddress`
 */
export function aclOf(request: AclRequest, owner: string, bucketOwner: string, accounts: Accounts): Acl {
  switch (request.kind) {
    case 'none':
      return privateAcl(owner);
    case 'canned':
      return cannedAcl(request.name, owner, bucketOwner);
    case 'grants':
      return { owner, grants: resolveGrants(request.grants, accounts) };
  }
}

/** S3 names groups before the owner; for a bucket `bucket-owner-*` means the same as private. */
function cannedAcl(name: CannedAcl, owner: string, bucketOwner: string): Acl {
  const own: Grant = { grantee: { id: owner }, permission: 'FULL_CONTROL' };
  const all = (permission: Permission): Grant => ({ grantee: { group: 'AllUsers' }, permission });
  const forBucketOwner = (permission: Permission): Acl =>
    owner === bucketOwner ? privateAcl(owner) : { owner, grants: [own, { grantee: { id: bucketOwner }, permission }] };
  switch (name) {
    case 'private':
    case 'aws-exec-read':
      return privateAcl(owner);
    case 'public-read':
      return { owner, grants: [all('READ'), own] };
    case 'public-read-write':
      return { owner, grants: [all('READ'), all('WRITE'), own] };
    case 'authenticated-read':
      return { owner, grants: [{ grantee: { group: 'AuthenticatedUsers' }, permission: 'READ' }, own] };
    case 'bucket-owner-read':
      return forBucketOwner('READ');
    case 'bucket-owner-full-control':
      return forBucketOwner('FULL_CONTROL');
    case 'log-delivery-write':
      return {
        owner,
        grants: [
          { grantee: { group: 'LogDelivery' }, permission: 'WRITE' },
          { grantee: { group: 'LogDelivery' }, permission: 'READ_ACP' },
          own,
        ],
      };
  }
}

/** @throws S3Error `InvalidArgument`, `UnresolvableGrantByEmailAddress`, `MalformedACLError` */
export function resolveGrants(requested: readonly RequestedGrant[], accounts: Accounts): readonly Grant[] {
  if (requested.length > MAX_GRANTS) throw new S3Error('MalformedACLError');
  return requested.map(({ permission, grantee }) => ({ permission, grantee: resolveGrantee(grantee, accounts) }));
}

function resolveGrantee({ kind, value }: RequestedGrant['grantee'], accounts: Accounts): Grantee {
  switch (kind) {
    case 'id': {
      if (accounts.account(value) === undefined) throw invalidArgument('CanonicalUser/ID', value, 'Invalid id');
      return { id: value };
    }
    case 'emailAddress': {
      const account = accounts.accountByEmail(value);
      if (account === undefined) throw new S3Error('UnresolvableGrantByEmailAddress');
      return { id: account.id };
    }
    case 'uri': {
      const group = GROUP_URIS.get(value);
      if (group === undefined) throw invalidArgument('Group/URI', value, 'Invalid group uri');
      return { group };
    }
  }
}
