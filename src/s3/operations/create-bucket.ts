import { StoreError } from '../../store/errors.ts';
import { accessDenied } from '../access.ts';
import { xmlBody } from '../body.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { refuseAcl } from '../wire/refusals.ts';
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
    refuseAcl(headers);
    const ownership = headers['x-amz-object-ownership'];
    if (ownership !== undefined && ownership !== 'BucketOwnerEnforced') throw notImplemented('x-amz-object-ownership');
    const locked = String(headers['x-amz-bucket-object-lock-enabled'] ?? 'false').toLowerCase() === 'true';
    return { bucket, objectLock: locked ? {} : undefined };
  },
  access: { by: 'checks', of: () => [{ action: 's3:CreateBucket' }] },
  body: xmlBody({ maxBytes: 64 * 1024, required: false, checksums: 'body' }, parseConfiguration),
  handle: async ({ bucket, objectLock }, { store, caller, region, anyRegion }, constraint) => {
    if (caller.kind !== 'principal') throw accessDenied();
    if (!anyRegion) refuseForeignRegion(constraint, region);
    try {
      await store.createBucket({ name: bucket, owner: caller.principal, region, objectLock });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'bucket-exists')) throw error;
      const { owner } = await store.bucket(bucket);
      const elements = { BucketName: bucket };
      if (owner !== caller.principal) throw new S3Error('BucketAlreadyExists', undefined, { elements });
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
