import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';
const host = /(?:^|\.)s3\.([a-z]+-[a-z]+-\d{3})\.backblazeb2\.com$/;

/** Backblaze B2. As documented and reported until November 2026; nothing here was measured by us: `bucketwright provider probe` does. https://www.backblaze.com/docs/cloud-storage-s3-compatible-api */
export const b2: ProviderProfile = {
  name: 'b2',
  title: 'Backblaze B2',
  hosts: [host],
  regionOf: (name) => host.exec(name)?.[1],
  defaultRegion: 'us-west-004',
  regionMatters: true,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'filter',
  policy: { settleMs: 0, lockoutIsFinal: true },
  conditions: [],
  features: {
    'bucket-policy': 'no',
    'public-access-block': 'no',
    'bucket-encryption': unknown,
    lifecycle: 'partial',
    'lifecycle-abort-uploads': 'yes',
    'lifecycle-noncurrent': 'partial',
    'lifecycle-keep-versions': unknown,
    'lifecycle-sizes': unknown,
    'lifecycle-tags': unknown,
    'lifecycle-dates': unknown,
    'lifecycle-transitions': unknown,
    versioning: 'partial',
    'object-lock': 'yes',
    'bucket-tagging': 'no',
    'object-tagging': unknown,
    cors: unknown,
    'conditional-put': 'no',
    'conditional-complete': 'no',
    'default-checksums': 'yes',
    'chunked-trailer': 'partial',
  },
  notes: {
    'bucket-policy': 'application keys are limited to a bucket and a name prefix instead',
    lifecycle: 'a delete hides: old versions are billed until a rule removes them',
    'lifecycle-noncurrent': 'as days from hiding to deleting',
    versioning: 'always on',
    'conditional-put': '501',
    'conditional-complete': '501',
    'chunked-trailer': 'chunks of at most 1 MiB',
  },
};
