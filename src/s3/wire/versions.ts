import type { VersioningStatus } from '../../store/port.ts';
import { invalidArgument, S3Error } from '../errors.ts';
import type { Query } from '../query.ts';
import { fields, malformed, textOf, type XmlElement } from './xml-in.ts';

/**
 * The version that a request is about; undefined for the current one. Whether it is one the store knows.
 * @throws S3Error `InvalidArgument` for an empty one
 */
export function parseVersionId(query: Query): string | undefined {
  return checkVersionId(query.get('versionId'));
}

/** @throws S3Error `InvalidArgument` */
export function checkVersionId(versionId: string | undefined): string | undefined {
  if (versionId === '') throw invalidArgument('versionId', '', 'Version id cannot be the empty string');
  return versionId;
}

/** The version's header in the answer to a read, flat; nothing in a bucket without versioning. */
export function versionHeader(versionId: string | undefined): readonly string[] {
  return versionId === undefined ? NONE : ['x-amz-version-id', versionId];
}

/** The same of a write, where S3 does not name the null version. */
export function newVersionHeader(versionId: string | undefined): readonly string[] {
  return versionId === 'null' ? NONE : versionHeader(versionId);
}

const NONE: readonly string[] = [];

/**
 * The body of PutBucketVersioning. Deleting with a second factor needs a device that we do not have, so asking for it is
 * refused rather than taken and not kept.
 * @throws S3Error `MalformedXML`, `IllegalVersioningConfigurationException`, `NotImplemented`
 */
export function parseVersioning(root: XmlElement | undefined): VersioningStatus {
  if (root?.name !== 'VersioningConfiguration') throw malformed();
  const { Status, MfaDelete } = fields(root, ['Status', 'MfaDelete']);
  const mfa = MfaDelete === undefined ? 'Disabled' : textOf(MfaDelete).trim();
  if (mfa === 'Enabled') {
    throw new S3Error('NotImplemented', 'MFA delete is not supported: this server has no second factor to ask for.', {
      subject: 'MfaDelete',
    });
  }
  if (mfa !== 'Disabled') throw malformed();
  if (Status === undefined) throw new S3Error('IllegalVersioningConfigurationException');
  const status = textOf(Status).trim();
  if (status !== 'Enabled' && status !== 'Suspended') throw malformed();
  return status;
}
