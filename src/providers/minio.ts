import type { ProviderProfile } from './profile.ts';

/** The last free MinIO releases. https://min.io/docs/minio/linux/reference/s3-api-compatibility.html */
export const minio: ProviderProfile = {
  name: 'minio',
  title: 'MinIO',
  hosts: [/^minio(?:[.-]|$)/, /\.min\.io$/],
  regionOf: () => undefined,
  defaultRegion: 'us-east-1',
  regionMatters: false,
  pathStyle: true,
  checksums: 'when-supported',
  locationConstraint: 'omit',
  features: {
    'bucket-policy': 'yes',
    lifecycle: 'yes',
    'lifecycle-abort-uploads': 'no',
    versioning: 'yes',
    'object-lock': 'partial',
    'bucket-tagging': 'yes',
    'object-tagging': 'yes',
    cors: 'no',
    'conditional-put': 'yes',
    'conditional-complete': 'yes',
    'default-checksums': 'yes',
    'chunked-trailer': 'yes',
  },
  notes: { 'object-lock': 'only when the bucket is created' },
};
