import type { IncomingHttpHeaders } from 'node:http';
import { notImplemented } from '../errors.ts';

/** Headers that ask for encryption with keys of ours. There are none, and we do not pretend (docs/decisions/0110). */
const ENCRYPTION = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-context',
];
/**
 * Refuses what a write asks for and we cannot do, rather than storing the object without it.
 * @throws S3Error `NotImplemented`
 */
export function refuseUnsupportedWrite(headers: IncomingHttpHeaders): void {
  refuseEncryption(headers);
  if (headers['x-amz-write-offset-bytes'] !== undefined) throw notImplemented('x-amz-write-offset-bytes');
}

/** @throws S3Error `NotImplemented` */
export function refuseEncryption(headers: IncomingHttpHeaders): void {
  for (const name of ENCRYPTION) if (headers[name] !== undefined) throw notImplemented(name);
}
