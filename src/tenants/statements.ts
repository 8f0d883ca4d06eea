import type { Json } from '../bucket/index.ts';
import type { ProviderProfile } from '../providers/index.ts';

export type Statement = Readonly<Record<string, Json>>;

const bucketArn = (bucket: string) => `arn:aws:s3:::${bucket}`;

/** What of a bucket belongs to one tenant: all of it, or the keys below these prefixes. */
export interface Share {
  readonly bucket: string;
  /** Each with a slash at the end; an empty one: the whole bucket. */
  readonly prefixes: readonly string[];
}

const isWhole = ({ prefixes }: Share) => prefixes.includes('');

const objectArns = (share: Share) =>
  isWhole(share)
    ? [`${bucketArn(share.bucket)}/*`]
    : share.prefixes.map((prefix) => `${bucketArn(share.bucket)}/${prefix}*`);

const patterns = ({ prefixes }: Share) => prefixes.map((prefix) => `${prefix}*`);

/** What a tenant does with its objects. Who may see them is the bucket's affair: no ACLs. */
export function objectActions({ features }: ProviderProfile): readonly string[] {
  const tagging = ['s3:GetObjectTagging', 's3:PutObjectTagging', 's3:DeleteObjectTagging'];
  return [
    's3:GetObject',
    's3:GetObjectVersion',
    's3:PutObject',
    's3:DeleteObject',
    's3:DeleteObjectVersion',
    's3:AbortMultipartUpload',
    's3:ListMultipartUploadParts',
    ...(features['object-tagging'] === 'yes' ? tagging : []),
  ];
}

const LISTING = ['s3:ListBucket', 's3:ListBucketVersions'];
/** Knows no condition on the prefix (Service Authorization Reference, "Actions defined by Amazon S3"). */
const UPLOADS = 's3:ListBucketMultipartUploads';
const LOCATION = 's3:GetBucketLocation';

/** A statement without whom it is about, and what it is for: a part of its Sid. */
export type Named = readonly [name: string, effect: 'Allow' | 'Deny', what: Statement];

/** What allows a share to whoever the statements are attached to, or name. */
export function allowing(share: Share, profile: ProviderProfile): readonly Named[] {
  const bucket = bucketArn(share.bucket);
  const whole = isWhole(share);
  const objects: Named = ['Objects', 'Allow', { Action: [...objectActions(profile)], Resource: objectArns(share) }];
  if (whole) return [objects, ['Bucket', 'Allow', { Action: [...LISTING, UPLOADS, LOCATION], Resource: [bucket] }]];
  const Condition = { StringLike: { 's3:prefix': patterns(share) } };
  return [
    objects,
    ['List', 'Allow', { Action: LISTING, Resource: [bucket], Condition }],
    // Clients ask for it before anything else, without a prefix.
    ['Location', 'Allow', { Action: [LOCATION], Resource: [bucket] }],
  ];
}

/**
 * What configures a bucket, or shows how it is configured. Names that are written out are those that every RADOS Gateway
 * from release 16 on knows: one that it does not know makes the whole policy fail. NotAction is ignored by Hetzner.
 */
const CONFIGURING = [
  's3:Put*',
  // Not Delete*: RADOS Gateway 16 asks for s3:DeleteObject on the bucket before it deletes many.
  's3:DeleteBucket*',
  's3:GetBucketAcl',
  's3:GetBucketCORS',
  's3:GetBucketPolicy',
  's3:GetBucketPolicyStatus',
  's3:GetBucketPublicAccessBlock',
  's3:GetBucketObjectLockConfiguration',
  's3:GetBucketTagging',
  's3:GetAccelerateConfiguration',
  's3:GetBucketLogging',
  's3:GetBucketNotification',
  's3:GetBucketRequestPayment',
  's3:GetBucketWebsite',
  's3:GetLifecycleConfiguration',
  's3:GetReplicationConfiguration',
];

/** Allowed to nobody but administrators, also on a tenant's own objects. */
const OPENING = ['s3:PutObjectAcl', 's3:PutObjectVersionAcl', 's3:BypassGovernanceRetention'];

/** Who wrote an object owns it on RADOS Gateways, and may open it to everybody unless that is denied. */
export const opening = (bucket: string): Named => [
  'Open',
  'Deny',
  { Action: OPENING, Resource: [`${bucketArn(bucket)}/*`] },
];

/** RADOS Gateway 16 asks for the right to delete on the bucket before it looks at each key of many. */
export const deletingMany = (bucket: string): Named => [
  'DeleteMany',
  'Allow',
  { Action: ['s3:DeleteObject'], Resource: [bucketArn(bucket)] },
];

/** What leaves a share to somebody who would otherwise have all of the bucket. */
export function denying(share: Share): readonly Named[] {
  const bucket = bucketArn(share.bucket);
  const whole = isWhole(share);
  const configure = { Action: whole ? CONFIGURING : [...CONFIGURING, UPLOADS], Resource: [bucket] };
  const always: readonly Named[] = [['Configure', 'Deny', configure], opening(share.bucket)];
  if (whole) return always;
  const list = { Action: LISTING, Resource: [bucket] };
  return [
    ...always,
    ['Outside', 'Deny', { Action: ['s3:*'], NotResource: [bucket, ...objectArns(share)] }],
    ['Prefix', 'Deny', { ...list, Condition: { StringNotLike: { 's3:prefix': patterns(share) } } }],
    // Without a prefix there is no s3:prefix, and a negated operator then says different things on different servers.
    ['NoPrefix', 'Deny', { ...list, Condition: { Null: { 's3:prefix': 'true' } } }],
  ];
}

/** Shuts out everybody but those named, keys included that do not exist yet. */
export const fencing = (bucket: string, spared: readonly string[]): Statement => ({
  Effect: 'Deny',
  NotPrincipal: { AWS: [...spared] },
  Action: ['s3:*'],
  Resource: [bucketArn(bucket), `${bucketArn(bucket)}/*`],
});

/** Shuts out those named from all of a bucket. */
export const barring = (bucket: string, barred: readonly string[]): Statement => ({
  Effect: 'Deny',
  Principal: { AWS: [...barred] },
  Action: ['s3:*'],
  Resource: [bucketArn(bucket), `${bucketArn(bucket)}/*`],
});
