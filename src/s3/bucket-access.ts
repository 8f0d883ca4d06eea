import { type Policy, parsePolicy } from '../policy/index.ts';
import type { ObjectStore } from '../store/port.ts';
import { type Acl, decodeAcl, privateAcl } from './acl/model.ts';

/** Who owns objects that another account puts into a bucket, and whether ACLs count (S3 User Guide, "Controlling ownership"). */
export type ObjectOwnership = 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';
export const OWNERSHIPS: readonly ObjectOwnership[] = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'];

/** Kept after DeleteBucketOwnershipControls: as ObjectWriter, but the configuration is not there. */
const REMOVED = 'removed';

/** A bucket on which nothing was ever said enforces its owner's ownership, as S3's do since 2023. */
export async function ownershipOf(store: ObjectStore, bucket: string): Promise<ObjectOwnership> {
  return ownershipFrom(await store.bucketConfiguration(bucket, 'ownership-controls'));
}

export function ownershipFrom(kept: string | undefined): ObjectOwnership {
  if (kept === undefined) return 'BucketOwnerEnforced';
  return OWNERSHIPS.find((known) => known === kept) ?? 'ObjectWriter';
}

/** Whether somebody said so, rather than nobody anything. */
export async function isEnforcedExpressly(store: ObjectStore, bucket: string): Promise<boolean> {
  return (await store.bucketConfiguration(bucket, 'ownership-controls')) === 'BucketOwnerEnforced';
}

/** What GetBucketOwnershipControls answers; undefined: it was deleted. */
export async function ownershipControls(store: ObjectStore, bucket: string): Promise<ObjectOwnership | undefined> {
  const kept = await store.bucketConfiguration(bucket, 'ownership-controls');
  return kept === REMOVED ? undefined : ownershipOf(store, bucket);
}

export function setOwnership(
  store: ObjectStore,
  bucket: string,
  ownership: ObjectOwnership | undefined,
): Promise<void> {
  return store.setBucketConfiguration(bucket, 'ownership-controls', ownership ?? REMOVED);
}

export interface PublicAccessBlock {
  readonly blockPublicAcls: boolean;
  readonly ignorePublicAcls: boolean;
  readonly blockPublicPolicy: boolean;
  readonly restrictPublicBuckets: boolean;
}

const OPEN: PublicAccessBlock = {
  blockPublicAcls: false,
  ignorePublicAcls: false,
  blockPublicPolicy: false,
  restrictPublicBuckets: false,
};

/** Undefined where none was put. */
export async function publicAccessBlock(store: ObjectStore, bucket: string): Promise<PublicAccessBlock | undefined> {
  const kept = await store.bucketConfiguration(bucket, 'public-access-block');
  if (kept === undefined) return undefined;
  const on = new Set(kept.split(' '));
  return {
    blockPublicAcls: on.has('BlockPublicAcls'),
    ignorePublicAcls: on.has('IgnorePublicAcls'),
    blockPublicPolicy: on.has('BlockPublicPolicy'),
    restrictPublicBuckets: on.has('RestrictPublicBuckets'),
  };
}

export async function effectivePublicAccessBlock(store: ObjectStore, bucket: string): Promise<PublicAccessBlock> {
  return (await publicAccessBlock(store, bucket)) ?? OPEN;
}

export function setPublicAccessBlock(store: ObjectStore, bucket: string, block: PublicAccessBlock): Promise<void> {
  const words = [
    ...(block.blockPublicAcls ? ['BlockPublicAcls'] : []),
    ...(block.ignorePublicAcls ? ['IgnorePublicAcls'] : []),
    ...(block.blockPublicPolicy ? ['BlockPublicPolicy'] : []),
    ...(block.restrictPublicBuckets ? ['RestrictPublicBuckets'] : []),
  ];
  return store.setBucketConfiguration(bucket, 'public-access-block', words.join(' ') || 'none');
}

/** Parsed policies by their text, which the store answers as the same string while it is unchanged. */
const parsed = new Map<string, Policy>();
const MAX_PARSED = 1000;

/** @throws PolicyError for what a later version of ours may have stored: nobody is let in by half a policy */
export function parsedPolicy(text: string, bucket: string): Policy {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const policy = parsePolicy(text, { kind: 'bucket', bucket });
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(text, policy);
  return policy;
}

export async function bucketAcl(store: ObjectStore, bucket: string, owner: string): Promise<Acl> {
  const kept = await store.bucketConfiguration(bucket, 'acl');
  return kept === undefined ? privateAcl(owner) : decodeAcl(kept);
}
