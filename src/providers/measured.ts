import type { Feature, FeatureState } from './profile.ts';

/** What `bucketwright provider probe` found on a real server. A test probes again and compares. */
export interface MeasuredRow {
  /** The profile's name. */
  readonly provider: string;
  /** The program that was measured, with its version. */
  readonly server: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly features: Readonly<Record<Feature, FeatureState>>;
}

export const measuredRows: readonly MeasuredRow[] = [
  {
    provider: 'embedded',
    server: 'Bucketwright 0.1',
    date: '2026-11-26',
    features: {
      'bucket-policy': 'yes',
      'public-access-block': 'yes',
      'bucket-encryption': 'no',
      lifecycle: 'yes',
      'lifecycle-abort-uploads': 'yes',
      'lifecycle-noncurrent': 'yes',
      'lifecycle-keep-versions': 'yes',
      'lifecycle-sizes': 'yes',
      'lifecycle-tags': 'yes',
      'lifecycle-dates': 'yes',
      'lifecycle-transitions': 'no',
      versioning: 'yes',
      'object-lock': 'yes',
      'bucket-tagging': 'yes',
      'object-tagging': 'yes',
      cors: 'yes',
      'conditional-put': 'yes',
      'conditional-complete': 'yes',
      'default-checksums': 'yes',
      'chunked-trailer': 'yes',
    },
  },
  {
    provider: 'ceph',
    server: 'Ceph 16.2.15 (Debian 12)',
    date: '2026-11-26',
    features: {
      'bucket-policy': 'yes',
      'public-access-block': 'yes',
      'bucket-encryption': 'no',
      lifecycle: 'partial',
      'lifecycle-abort-uploads': 'yes',
      'lifecycle-noncurrent': 'yes',
      'lifecycle-keep-versions': 'no',
      'lifecycle-sizes': 'no',
      'lifecycle-tags': 'yes',
      'lifecycle-dates': 'yes',
      'lifecycle-transitions': 'partial',
      versioning: 'yes',
      'object-lock': 'partial',
      'bucket-tagging': 'yes',
      'object-tagging': 'yes',
      cors: 'yes',
      'conditional-put': 'partial',
      'conditional-complete': 'no',
      'default-checksums': 'partial',
      'chunked-trailer': 'no',
    },
  },
  {
    provider: 'ceph',
    server: 'Ceph 18.2.7 (Debian 13)',
    date: '2026-11-26',
    features: {
      'bucket-policy': 'yes',
      'public-access-block': 'yes',
      'bucket-encryption': 'no',
      lifecycle: 'partial',
      'lifecycle-abort-uploads': 'yes',
      'lifecycle-noncurrent': 'yes',
      'lifecycle-keep-versions': 'no',
      'lifecycle-sizes': 'no',
      'lifecycle-tags': 'yes',
      'lifecycle-dates': 'yes',
      'lifecycle-transitions': 'partial',
      versioning: 'yes',
      'object-lock': 'partial',
      'bucket-tagging': 'yes',
      'object-tagging': 'yes',
      cors: 'yes',
      'conditional-put': 'partial',
      'conditional-complete': 'no',
      'default-checksums': 'partial',
      'chunked-trailer': 'partial',
    },
  },
];
