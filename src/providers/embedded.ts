import type { ProviderProfile } from './profile.ts';

/** `bucketwright serve`. Not told by its host name: the `s3.env` that it writes names it. */
export const embedded: ProviderProfile = {
  name: 'embedded',
  title: 'Bucketwright embedded server',
  hosts: [],
  regionOf: () => undefined,
  defaultRegion: 'us-east-1',
  regionMatters: true,
  pathStyle: true,
  checksums: 'when-supported',
  locationConstraint: 'omit',
  features: {
    'bucket-policy': 'no',
    lifecycle: 'no',
    'lifecycle-abort-uploads': 'no',
    versioning: 'no',
    'object-lock': 'no',
    'bucket-tagging': 'no',
    'object-tagging': 'yes',
    cors: 'no',
    'conditional-put': 'yes',
    'conditional-complete': 'yes',
    'default-checksums': 'yes',
    'chunked-trailer': 'yes',
  },
  notes: {},
};
