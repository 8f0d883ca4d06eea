import { StoreError } from '../../store/errors.ts';
import type { BucketConfigurationKind } from '../../store/port.ts';
import { accessDenied } from '../access.ts';
import { aclOf, parseAclHeaders } from '../acl/headers.ts';
import { encodeAcl, isPrivate } from '../acl/model.ts';
import { xmlBody } from '../body.ts';
import { bucketAcl, OWNERSHIPS } from '../bucket-access.ts';
import { invalidArgument, notImplemented, S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { fields, malformed, textOf, type XmlElement } from '../wire/xml-in.ts';

/** The region whose buckets have no location constraint, and where creating again is no error. */
const DEFAULT_REGION = 'us-east-1';

/** The LocationConstraint, when the client gave one. */
function parseConfiguration(root: XmlElement | undefined): string | undefined {
  if (root === undefined) return undefined;
  if (root.name !== 'CreateBucketConfiguration') throw malformed();
  const { LocationConstraint, Location, Bucket } = fields(root, ['LocationConstraint', 'Location', 'Bucket', 'Tags']);
  if (Location !== undefined || Bucket !== undefined) throw notImplemented('directory buckets');
  return LocationConstraint === undefined ? undefined : textOf(LocationConstraint).trim();
}

export const createBucket = defineOperation({
  name: 'CreateBucket',
  route: { method: 'PUT', scope: 'bucket' },
  parse: ({ bucket, headers }) => {
    const header = headers['x-amz-object-ownership'];
    const ownership = OWNERSHIPS.find((known) => known === header);
    if (header !== undefined && ownership === undefined) {
      throw invalidArgument('x-amz-object-ownership', String(header), 'Invalid x-amz-object-ownership header');
    }
    const locked = String(headers['x-amz-bucket-object-lock-enabled'] ?? 'false').toLowerCase() === 'true';
    return { bucket, objectLock: locked ? {} : undefined, ownership, acl: parseAclHeaders(headers) };
  },
  access: { by: 'checks', of: () => [{ action: 's3:CreateBucket' }] },
  body: xmlBody({ maxBytes: 64 * 1024, required: false, checksums: 'body' }, parseConfiguration),
  handle: async ({ bucket, objectLock, ownership, acl: wanted }, context, constraint) => {
    const { store, caller, region, anyRegion } = context;
    if (caller.kind !== 'principal') throw accessDenied();
    if (!anyRegion) refuseForeignRegion(constraint, region);
    const effective = ownership ?? context.objectOwnership;
    const acl = aclOf(wanted, caller.principal, caller.principal, context.accounts);
    if (effective === 'BucketOwnerEnforced' && !isPrivate(acl)) {
      throw new S3Error('InvalidBucketAclWithObjectOwnership');
    }
    const configuration: [BucketConfigurationKind, string][] = [];
    if (ownership !== undefined || effective !== 'BucketOwnerEnforced')
      configuration.push(['ownership-controls', effective]);
    if (!isPrivate(acl)) configuration.push(['acl', encodeAcl(acl)]);
    try {
      await store.createBucket({ name: bucket, owner: caller.principal, region, objectLock, configuration });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'bucket-exists')) throw error;
      const { owner } = await store.bucket(bucket);
      const elements = { BucketName: bucket };
      // S3 would give the bucket the list of this request; what it has was perhaps meant to stay.
      const same = owner === caller.principal && encodeAcl(await bucketAcl(store, bucket, owner)) === encodeAcl(acl);
      if (!same) throw new S3Error('BucketAlreadyExists', undefined, { elements });
      if (region !== DEFAULT_REGION) throw new S3Error('BucketAlreadyOwnedByYou', undefined, { elements });
    }
  },
  write: (_, { bucket }) => ({ status: 200, headers: ['Location', `/${bucket}`] }),
});

/**
 * No constraint means the endpoint's region: outside us-east-1 S3 would refuse that, but one endpoint here has one
 * region, and tools that never learnt to send it should work.
 */
function refuseForeignRegion(constraint: string | undefined, region: string): void {
  if (constraint === undefined || constraint === '' || constraint === region) return;
  throw new S3Error(
    region === DEFAULT_REGION ? 'InvalidLocationConstraint' : 'IllegalLocationConstraintException',
    `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to (${region}).`,
    { elements: { LocationConstraint: constraint } },
  );
}
