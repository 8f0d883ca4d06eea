import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';
const host = /(?:^|\.)s3\.([a-z]{2,4}(?:-[a-z]{2,5}){0,2})\.(?:io|perf)\.cloud\.ovh\.(?:net|us)$/;

/** OVHcloud Object Storage. As documented and reported until November 2026; nothing here was measured by us: `bucketwright provider probe` does. https://help.ovhcloud.com/csm/en-public-cloud-storage-s3-compliancy */
export const ovh: ProviderProfile = {
  name: 'ovh',
  title: 'OVHcloud Object Storage',
  hosts: [host],
  regionOf: (name) => host.exec(name)?.[1],
  defaultRegion: 'gra',
  regionMatters: true,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'filter',
  policy: { settleMs: 0, lockoutIsFinal: true },
  conditions: ['put-if-absent', 'complete-if-absent'],
  features: {
    'bucket-policy': 'no',
    'public-access-block': unknown,
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
    'conditional-complete': 'yes',
    'default-checksums': unknown,
    'chunked-trailer': unknown,
  },
  notes: {
    'bucket-policy': "a user's policy is set by OVHcloud's own API instead",
    'conditional-put': 'since June 2026',
  },
};
