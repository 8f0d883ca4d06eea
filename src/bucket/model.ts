/**
 * What can be configured of a bucket, in the words of S3 and free of anybody's spelling: whole days, dates as
 * `YYYY-MM-DD` (UTC), absent instead of empty. `canonical.ts` orders what has no order.
 */
export interface BucketConfiguration {
  readonly versioning: Versioning;
  readonly lifecycle: readonly LifecycleRule[];
  readonly policy: PolicyDocument;
  readonly cors: readonly CorsRule[];
  readonly objectLock: ObjectLock;
  readonly tags: Tags;
  readonly encryption: Encryption;
  readonly publicAccessBlock: PublicAccessBlock;
}

export type Attribute = keyof BucketConfiguration;

/** In the order in which they are written: what others build on first, and the policy, which can lock us out, last. */
export const attributes = [
  'versioning',
  'objectLock',
  'encryption',
  'tags',
  'cors',
  'lifecycle',
  'publicAccessBlock',
  'policy',
] as const satisfies readonly Attribute[];

/** `off`: never enabled. Once enabled it can only be suspended. */
export const versionings = ['off', 'enabled', 'suspended'] as const;
export type Versioning = (typeof versionings)[number];

export type Tags = Readonly<Record<string, string>>;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html */
export interface LifecycleRule {
  readonly id: string;
  readonly enabled: boolean;
  /** Empty: the whole bucket. */
  readonly prefix: string;
  /** All of them; empty: whatever the tags. */
  readonly tags: Tags;
  /** Only objects larger than this many bytes. */
  readonly largerThan?: number | undefined;
  /** Only objects smaller than this many bytes. */
  readonly smallerThan?: number | undefined;
  /** Current objects go after this many days. */
  readonly expireDays?: number | undefined;
  /** Current objects go on this day. */
  readonly expireOn?: string | undefined;
  /** Delete markers that hide nothing any more go. */
  readonly expireDeleteMarkers?: boolean | undefined;
  /** Noncurrent versions go after this many days. */
  readonly noncurrentDays?: number | undefined;
  /** So many of the newest noncurrent versions stay all the same. */
  readonly noncurrentKeep?: number | undefined;
  /** Unfinished multipart uploads go after this many days. */
  readonly abortUploadsDays?: number | undefined;
  readonly transitions?: readonly Transition[] | undefined;
  readonly noncurrentTransitions?: readonly Transition[] | undefined;
  /** What a provider's answer holds beside all this; such a rule is never written, since that would lose it. */
  readonly unknown?: readonly string[] | undefined;
}

export interface Transition {
  readonly days?: number | undefined;
  readonly on?: string | undefined;
  readonly storageClass: string;
  /** Noncurrent versions only. */
  readonly keep?: number | undefined;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CORSRule.html */
export interface CorsRule {
  readonly id?: string | undefined;
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number | undefined;
}

export interface ObjectLock {
  /** Can only be switched on when the bucket is made (most providers), never off. */
  readonly enabled: boolean;
  /** What new objects get. */
  readonly retention?: DefaultRetention | undefined;
}

export interface DefaultRetention {
  readonly mode: 'governance' | 'compliance';
  readonly days?: number | undefined;
  readonly years?: number | undefined;
}

/** What objects are encrypted with by default; `none`: nothing is said. */
export interface Encryption {
  readonly algorithm: 'AES256' | 'aws:kms';
  readonly keyId?: string | undefined;
}

export interface PublicAccessBlock {
  readonly blockPublicAcls: boolean;
  readonly ignorePublicAcls: boolean;
  readonly blockPublicPolicy: boolean;
  readonly restrictPublicBuckets: boolean;
}

/** Any JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A policy as it was written: `meaning.ts` compares two of them. */
export type PolicyDocument = { readonly [key: string]: Json };
