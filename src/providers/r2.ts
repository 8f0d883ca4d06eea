import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';

/** Cloudflare R2. As documented and reported until November 2026; nothing here was measured by us: `bucketwright provider probe` does. https://developers.cloudflare.com/r2/api/s3/api/ */
export const r2: ProviderProfile = {
  name: 'r2',
  title: 'Cloudflare R2',
  hosts: [/(?:^|\.)r2\.cloudflarestorage\.com$/],
  regionOf: () => undefined,
  defaultRegion: 'auto',
  regionMatters: true,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'filter',
  policy: { settleMs: 0, lockoutIsFinal: true },
  conditions: ['put-if-absent', 'complete-if-absent'],
  features: {
    'bucket-policy': 'no',
    'public-access-block': 'no',
    'bucket-encryption': unknown,
    lifecycle: 'yes',
    'lifecycle-abort-uploads': 'yes',
    'lifecycle-noncurrent': 'no',
    'lifecycle-keep-versions': 'no',
    'lifecycle-sizes': unknown,
    'lifecycle-tags': unknown,
    'lifecycle-dates': unknown,
    'lifecycle-transitions': unknown,
    versioning: 'no',
    'object-lock': 'no',
    'bucket-tagging': 'no',
    'object-tagging': unknown,
    cors: 'yes',
    'conditional-put': 'yes',
    'conditional-complete': 'yes',
    'default-checksums': 'partial',
    'chunked-trailer': 'yes',
  },
  notes: {
    'bucket-policy': 'API tokens are limited to buckets instead',
    'lifecycle-abort-uploads': 'a new bucket aborts uploads after 7 days by itself',
    'object-lock': 'R2 has bucket locks of its own, by its own API',
    'default-checksums': 'CRC64NVME of the whole, others composite',
  },
};
