import type { IncomingHttpHeaders } from 'node:http';
import { notImplemented, S3Error } from '../errors.ts';

/** Headers that ask for encryption with keys of ours. There are none, and we do not pretend (docs/decisions/0110). */
const ENCRYPTION = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-context',
];
const GRANTS = [
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
];

/**
 * Refuses what a write asks for and we cannot do, rather than storing the object without it.
 * @throws S3Error `NotImplemented`, `AccessControlListNotSupported`
 */
export function refuseUnsupportedWrite(headers: IncomingHttpHeaders): void {
  refuseEncryption(headers);
  if (headers['x-amz-write-offset-bytes'] !== undefined) throw notImplemented('x-amz-write-offset-bytes');
  refuseAcl(headers);
}

/** @throws S3Error `NotImplemented` */
export function refuseEncryption(headers: IncomingHttpHeaders): void {
  for (const name of ENCRYPTION) if (headers[name] !== undefined) throw notImplemented(name);
}

/**
 * With ownership enforced, which is the only mode here, the two canned ACLs that change nothing are accepted.
 * @throws S3Error `AccessControlListNotSupported`
 */
export function refuseAcl(headers: IncomingHttpHeaders): void {
  const canned = headers['x-amz-acl'];
  if (canned !== undefined && canned !== 'private' && canned !== 'bucket-owner-full-control') {
    throw new S3Error('AccessControlListNotSupported', undefined, { subject: 'x-amz-acl' });
  }
  for (const name of GRANTS) {
    if (headers[name] !== undefined) throw new S3Error('AccessControlListNotSupported', undefined, { subject: name });
  }
}
