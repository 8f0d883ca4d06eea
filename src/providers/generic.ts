import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';

/** Any other S3: what the fewest servers refuse. */
export const generic: ProviderProfile = {
  name: 'generic',
  title: 'S3-compatible storage',
  hosts: [],
  regionOf: () => undefined,
  defaultRegion: 'us-east-1',
  regionMatters: false,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'filter',
  policy: { settleMs: 0, lockoutIsFinal: true },
  conditions: [],
  features: {
    'bucket-policy': unknown,
    'public-access-block': unknown,
    'bucket-encryption': unknown,
    lifecycle: unknown,
    'lifecycle-abort-uploads': unknown,
    'lifecycle-noncurrent': unknown,
    'lifecycle-keep-versions': unknown,
    'lifecycle-sizes': unknown,
    'lifecycle-tags': unknown,
    'lifecycle-dates': unknown,
    'lifecycle-transitions': unknown,
    versioning: unknown,
    'object-lock': unknown,
    'bucket-tagging': unknown,
    'object-tagging': unknown,
    cors: unknown,
    'conditional-put': unknown,
    'conditional-complete': unknown,
    'default-checksums': unknown,
    'chunked-trailer': unknown,
  },
  notes: {},
};
