/** What a provider can do, as far as somebody measured or documented it. `partial` has a note that says what is missing. */
export type FeatureState = 'yes' | 'no' | 'partial' | 'unknown';

export const features = [
  'bucket-policy',
  'public-access-block',
  'bucket-encryption',
  'lifecycle',
  'lifecycle-abort-uploads',
  'lifecycle-noncurrent',
  'lifecycle-keep-versions',
  'lifecycle-sizes',
  'lifecycle-tags',
  'lifecycle-dates',
  'lifecycle-transitions',
  'versioning',
  'object-lock',
  'bucket-tagging',
  'object-tagging',
  'cors',
  'conditional-put',
  'conditional-complete',
  'default-checksums',
  'chunked-trailer',
] as const;
export type Feature = (typeof features)[number];

/** A condition on a write, by operation: each provider honours some of them and ignores the others in silence. */
export const conditions = ['put-if-absent', 'put-if-match', 'complete-if-absent', 'copy-if-absent'] as const;
export type Condition = (typeof conditions)[number];

/** What a provider allows at most, where it says so. */
export interface ProviderLimits {
  /** Requests a second from one address, whatever runs there. */
  readonly requestsPerSecond?: number;
  /** Connections at once from one address, whatever runs there. */
  readonly connections?: number;
  readonly buckets?: number;
  readonly keys?: number;
  /** Bytes; smaller objects are billed as if they had as many. */
  readonly leastBilledBytes?: number;
}

/** What is different about one provider: data first. */
export interface ProviderProfile {
  /** What S3_PROVIDER calls it. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Host names (lower case) by which it is recognised. */
  readonly hosts: readonly RegExp[];
  /** The region that a host name tells; undefined where it tells none. */
  regionOf(host: string): string | undefined;
  /** What is signed for when neither the settings nor the host tell a region. */
  readonly defaultRegion: string;
  /** Whether a request signed for another region than `regionOf` is refused. */
  readonly regionMatters: boolean;
  readonly pathStyle: boolean;
  /**
   * `when-supported`: the SDK's default, a CRC32 with every upload. `when-required`: only where S3 demands one, for
   * providers that refuse or ignore the checksum headers or `aws-chunked` bodies.
   */
  readonly checksums: 'when-required' | 'when-supported';
  /** Whether CreateBucket names the region in its body, or leaves the place to the endpoint. */
  readonly locationConstraint: 'region' | 'omit';
  /**
   * Where a lifecycle rule's lone prefix is written: `rule`, or `filter` where rule-level prefixes are refused. Never both:
   * RADOS Gateways then drop the prefix.
   */
  readonly lifecyclePrefix: 'rule' | 'filter';
  /** No lifecycle rule runs while versioning is suspended. */
  readonly lifecycleNeedsActiveVersions?: boolean;
  /** Bucket policies: what is known of their dialect beyond AWS's. */
  readonly policy: PolicyDialect;
  /** Conditions on writes that hold here; all others are ignored, refused, or not known to hold (`believes`). */
  readonly conditions: readonly Condition[];
  /** Conditions hold in buckets without versions only. */
  readonly conditionsNeedUnversioned?: boolean;
  /** If-Match is compared with the ETag as it stands in the header: without quotes. */
  readonly ifMatchBare?: boolean;
  /** A canned ACL that is put on a bucket removes its policy. */
  readonly aclClearsPolicy?: boolean;
  /** Throttles and unknown operations come as HTML: only their status counts. */
  readonly htmlErrors?: boolean;
  readonly limits?: ProviderLimits;
  /** Milliseconds for which a new key may be refused what it will be allowed. Default 0. */
  readonly keysSettleMs?: number;
  /** How people make a key where no API does, step by step. */
  readonly keysByHand?: readonly string[];
  /** For people: what else is different here, one line each. */
  readonly rules?: readonly string[];
  /**
   * By what tenants are kept apart: users of our own server, users of the provider's tools with policies of their own,
   * bucket policies that name principals, or nothing finer than a bucket each (the default).
   */
  readonly isolation?: 'users' | 'identity' | 'principals' | 'own-bucket';
  /** What that does not hide from each other's tenants, for people: measured by `tenant audit`. */
  readonly isolationLimit?: string;
  /**
   * Whose command line makes users and their policies, where `isolation` is `identity`: MinIO's, or AWS's, at another
   * address than AWS's own.
   */
  readonly usersBy?: { readonly tool: 'mc' } | { readonly tool: 'aws'; readonly endpoint: string | undefined };
  /**
   * By what a tenant's bucket is kept below a size: our own server, or a tool of whoever runs the provider; undefined:
   * nothing.
   */
  readonly quotas?: 'server' | 'radosgw-admin' | 'mc';
  readonly features: Readonly<Record<Feature, FeatureState>>;
  /** By feature, what a `partial` or `no` means here. */
  readonly notes: Readonly<Partial<Record<Feature, string>>>;
}

export interface PolicyDialect {
  /** What a principal must look like to match anybody, with its kind before it unless that is AWS; undefined: AWS's forms. */
  readonly principal?: { readonly pattern: RegExp; readonly form: string };
  /** Every action that the provider knows, in AWS's spelling: any other makes it refuse the whole policy. */
  readonly actions?: readonly string[];
  /** Statements' members that are ignored. */
  readonly ignored?: readonly ('NotAction' | 'NotResource')[];
  /** Resources are `bucket` and `bucket/*` rather than ARNs, which are refused: Scaleway. */
  readonly bareResources?: boolean;
  /** The key id as part of its principal, so that it can be looked for in a policy: Hetzner. */
  readonly principalEndsWithKeyId?: boolean;
  /** A bucket that has a policy shuts out everybody whom it does not name, its owner too. */
  readonly implicitDeny?: boolean;
  /** Milliseconds until a policy that was written holds everywhere. */
  readonly settleMs: number;
  /** Whether a key that a policy shuts out can never repair it by itself. */
  readonly lockoutIsFinal: boolean;
}
