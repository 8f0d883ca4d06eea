import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';

/** RustFS, release candidates. As documented and reported until November 2026; nothing here was measured by us: `bucketwright provider probe` does. https://docs.rustfs.com/ */
export const rustfs: ProviderProfile = {
  name: 'rustfs',
  title: 'RustFS',
  hosts: [/^rustfs(?:[.-]|$)/],
  regionOf: () => undefined,
  defaultRegion: 'us-east-1',
  regionMatters: false,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'filter',
  policy: { settleMs: 0, lockoutIsFinal: false },
  conditions: ['put-if-absent'],
  isolation: 'identity',
  // It answers below /minio/admin, too. https://docs.rustfs.com/administration/iam/policies
  usersBy: { tool: 'mc' },
  features: {
    'bucket-policy': 'yes',
    'public-access-block': 'yes',
    'bucket-encryption': unknown,
    lifecycle: 'yes',
    'lifecycle-abort-uploads': 'yes',
    'lifecycle-noncurrent': 'yes',
    'lifecycle-keep-versions': unknown,
    'lifecycle-sizes': unknown,
    'lifecycle-tags': unknown,
    'lifecycle-dates': unknown,
    'lifecycle-transitions': unknown,
    versioning: 'yes',
    'object-lock': 'yes',
    'bucket-tagging': 'yes',
    'object-tagging': unknown,
    cors: unknown,
    'conditional-put': 'partial',
    'conditional-complete': unknown,
    'default-checksums': 'yes',
    'chunked-trailer': 'yes',
  },
  notes: {
    'conditional-put': 'on selected operations only',
  },
};
