import type { ProviderProfile } from './profile.ts';

const regional = /(?:^|\.)s3(?:-fips)?(?:\.dualstack)?[.-]([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com(?:\.cn)?$/;

/** Amazon S3. https://docs.aws.amazon.com/general/latest/gr/s3.html */
export const aws: ProviderProfile = {
  name: 'aws',
  title: 'Amazon S3',
  hosts: [regional, /(?:^|\.)s3\.amazonaws\.com$/],
  regionOf: (host) => regional.exec(host)?.[1],
  defaultRegion: 'us-east-1',
  regionMatters: true,
  pathStyle: false,
  checksums: 'when-supported',
  locationConstraint: 'region',
  lifecyclePrefix: 'filter',
  policy: { settleMs: 0, lockoutIsFinal: false },
  conditions: ['put-if-absent', 'put-if-match', 'complete-if-absent', 'copy-if-absent'],
  isolation: 'identity',
  usersBy: { tool: 'aws', endpoint: undefined },
  features: {
    'bucket-policy': 'yes',
    'public-access-block': 'yes',
    'bucket-encryption': 'yes',
    lifecycle: 'yes',
    'lifecycle-abort-uploads': 'yes',
    'lifecycle-noncurrent': 'yes',
    'lifecycle-keep-versions': 'yes',
    'lifecycle-sizes': 'yes',
    'lifecycle-tags': 'yes',
    'lifecycle-dates': 'yes',
    'lifecycle-transitions': 'yes',
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
  notes: {},
};
