/** What a provider can do, as far as somebody measured or documented it. `partial` has a note that says what is missing. */
export type FeatureState = 'yes' | 'no' | 'partial' | 'unknown';

export const features = [
  'bucket-policy',
  'lifecycle',
  'lifecycle-abort-uploads',
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
  readonly features: Readonly<Record<Feature, FeatureState>>;
  /** By feature, what a `partial` or `no` means here. */
  readonly notes: Readonly<Partial<Record<Feature, string>>>;
}
