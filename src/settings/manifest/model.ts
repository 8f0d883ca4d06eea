import type { BucketConfiguration } from '../../bucket/index.ts';

/** Where something stands, for messages: `bucketwright.yaml:3:5`. */
export interface Written {
  readonly origin: string;
}

/** An attribute that must not be configured at all. */
export const NONE = 'none';

/** What bucketwright.yaml wants of a bucket. An attribute that is absent is nobody's business and left alone. */
export interface ManifestBucket extends Written {
  readonly name: string;
  readonly configuration: DesiredConfiguration;
  /** What becomes of lifecycle rules that the manifest does not name. */
  readonly unmanagedRules: 'keep' | 'remove';
  /** By lifecycle rule id, where each is written. */
  readonly ruleOrigins: ReadonlyMap<string, string>;
}

export type DesiredConfiguration = {
  readonly [A in keyof BucketConfiguration]?: BucketConfiguration[A] | typeof NONE | undefined;
};

/** What a tenant has to itself. */
export interface ManifestTenant extends Written {
  readonly name: string;
  /** Whole buckets, and prefixes within buckets that others use too; a prefix ends in a slash. */
  readonly places: readonly { readonly bucket: string; readonly prefix: string }[];
  /** Who it is in the provider's words: ARNs, or key ids where the provider's principals hold those. */
  readonly principals: readonly string[];
  /** Bytes it may keep, where the provider can enforce it. */
  readonly quotaBytes: number | undefined;
  /** Shut out for now; what it has stays. */
  readonly suspended: boolean;
}

/** The part of bucketwright.yaml that says what should exist. Empty without a file: the S3_* variables are enough. */
export interface Manifest {
  readonly buckets: readonly ManifestBucket[];
  readonly tenants: readonly ManifestTenant[];
  /** Principals that no policy for tenants may shut out: who provisions, Loki's and Tempo's keys. */
  readonly administrators: readonly string[];
  /** The environment whose overlay was taken. */
  readonly environment: string | undefined;
}

export const emptyManifest: Manifest = { buckets: [], tenants: [], administrators: [], environment: undefined };
