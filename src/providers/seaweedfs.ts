import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';

/** SeaweedFS 4. As documented and reported until November 2026; nothing here was measured by us: `bucketwright provider probe` does. https://github.com/seaweedfs/seaweedfs/wiki/Amazon-S3-API */
export const seaweedfs: ProviderProfile = {
  name: 'seaweedfs',
  title: 'SeaweedFS',
  hosts: [/^(?:seaweed|seaweedfs|weed)(?:[.-]|$)/],
  regionOf: () => undefined,
  defaultRegion: 'us-east-1',
  regionMatters: false,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'filter',
  policy: { settleMs: 0, lockoutIsFinal: false },
  conditions: ['put-if-absent'],
  features: {
    'bucket-policy': 'yes',
    'public-access-block': 'partial',
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
    'conditional-put': 'yes',
    'conditional-complete': unknown,
    'default-checksums': 'yes',
    'chunked-trailer': 'yes',
  },
  notes: {
    'public-access-block': 'stored; whether it is enforced was not checked',
    lifecycle: 'space is freed only when volumes are vacuumed',
  },
};
