import type { Accounts } from '../access.ts';
import { S3Error } from '../errors.ts';
import { fields, textOf, type XmlElement } from '../wire/xml-in.ts';
import { element, optional } from '../wire/xml-out.ts';
import { type Acl, type Grant, type Group, PERMISSIONS, type RequestedGrant } from './model.ts';

export const GROUP_URIS: ReadonlyMap<string, Group> = new Map([
  ['http://acs.amazonaws.com/groups/global/AllUsers', 'AllUsers'],
  ['http://acs.amazonaws.com/groups/global/AuthenticatedUsers', 'AuthenticatedUsers'],
  ['http://acs.amazonaws.com/groups/s3/LogDelivery', 'LogDelivery'],
]);
const URI_OF = new Map([...GROUP_URIS].map(([uri, group]) => [group, uri]));

/** The content of `AccessControlPolicy`. */
export function aclXml(acl: Acl, accounts: Accounts): string {
  // Groups first, as S3 has them.
  const ordered = acl.grants.toSorted((a, b) => Number('id' in a.grantee) - Number('id' in b.grantee));
  const grants = ordered.map((grant) => grantXml(grant, accounts)).join('');
  return `<Owner>${accountXml(acl.owner, accounts)}</Owner><AccessControlList>${grants}</AccessControlList>`;
}

function grantXml({ grantee, permission }: Grant, accounts: Accounts): string {
  const type = 'id' in grantee ? 'CanonicalUser' : 'Group';
  const content = 'id' in grantee ? accountXml(grantee.id, accounts) : element('URI', URI_OF.get(grantee.group) ?? '');
  return `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="${type}">${content}</Grantee>${element('Permission', permission)}</Grant>`;
}

function accountXml(id: string, accounts: Accounts): string {
  return element('ID', id) + optional('DisplayName', accounts.account(id)?.displayName);
}

export interface AclDocument {
  readonly owner: string;
  readonly grants: readonly RequestedGrant[];
}

/**
 * The body of PutBucketAcl and PutObjectAcl. A grantee's type is what it holds: clients differ in how they write `xsi:type`.
 * @throws S3Error `MalformedACLError`
 */
export function parseAcl(root: XmlElement | undefined): AclDocument | undefined {
  if (root === undefined) return undefined;
  if (root.name !== 'AccessControlPolicy') throw malformedAcl();
  try {
    const { Owner, AccessControlList } = fields(root, ['Owner', 'AccessControlList']);
    if (Owner === undefined) throw malformedAcl();
    const { ID } = fields(Owner, ['ID', 'DisplayName']);
    return { owner: textOf(ID), grants: (AccessControlList?.children ?? []).map(parseGrant) };
  } catch (error) {
    if (error instanceof S3Error && error.code === 'MalformedXML') throw malformedAcl();
    throw error;
  }
}

function parseGrant(grant: XmlElement): RequestedGrant {
  if (grant.name !== 'Grant') throw malformedAcl();
  const { Grantee, Permission } = fields(grant, ['Grantee', 'Permission']);
  const permission = PERMISSIONS.find((known) => known === textOf(Permission).trim());
  if (permission === undefined || Grantee === undefined) throw malformedAcl();
  const { ID, URI, EmailAddress } = fields(Grantee, ['ID', 'DisplayName', 'URI', 'EmailAddress']);
  if (ID !== undefined) return { permission, grantee: { kind: 'id', value: textOf(ID).trim() } };
  if (URI !== undefined) return { permission, grantee: { kind: 'uri', value: textOf(URI).trim() } };
  return { permission, grantee: { kind: 'emailAddress', value: textOf(EmailAddress).trim() } };
}

function malformedAcl(): S3Error {
  return new S3Error('MalformedACLError');
}
