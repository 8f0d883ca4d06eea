import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';
const host = /(?:^|\.)s3\.([a-z]{2}-[a-z]+-\d)\.wasabisys\.com$/;

/** Wasabi. As documented and reported until November 2026; nothing here was measured by us: `bucketwright provider probe` does. https://docs.wasabi.com/docs/wasabi-api */
export const wasabi: ProviderProfile = {
  name: 'wasabi',
  title: 'Wasabi',
  hosts: [host, /^s3\.wasabisys\.com$/],
  regionOf: (name) => host.exec(name)?.[1],
  defaultRegion: 'us-east-1',
  regionMatters: true,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'filter',
  policy: { settleMs: 0, lockoutIsFinal: true },
  conditions: [],
  isolation: 'identity',
  usersBy: { tool: 'aws', endpoint: 'https://iam.wasabisys.com' },
  features: {
    'bucket-policy': 'yes',
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
    'conditional-put': 'no',
    'conditional-complete': 'no',
    'default-checksums': 'partial',
    'chunked-trailer': unknown,
  },
  notes: {
    lifecycle: 'an object is billed for at least 90 days, also when it is deleted or overwritten earlier',
    'conditional-put': 'If-None-Match is ignored without a word: the object is overwritten',
    'conditional-complete': 'ignored: the object is overwritten',
    'default-checksums': 'the documentation says CRC64NVME is refused; a test in October 2026 passed',
  },
};
