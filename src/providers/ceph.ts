import type { ProviderProfile } from './profile.ts';

/** Ceph's RADOS Gateway 16 and 18; 20 can more. Measured against 16.2.15, 18.2.7 and 20.2.4. */
export const ceph: ProviderProfile = {
  name: 'ceph',
  title: 'Ceph RADOS Gateway',
  hosts: [/(?:^|[.-])(?:ceph|rgw|radosgw)(?:[.-]|$)/],
  regionOf: () => undefined,
  defaultRegion: 'us-east-1',
  regionMatters: false,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  features: {
    'bucket-policy': 'yes',
    lifecycle: 'partial',
    'lifecycle-abort-uploads': 'yes',
    versioning: 'yes',
    'object-lock': 'partial',
    'bucket-tagging': 'yes',
    'object-tagging': 'yes',
    cors: 'yes',
    'conditional-put': 'partial',
    'conditional-complete': 'no',
    'default-checksums': 'partial',
    'chunked-trailer': 'partial',
  },
  notes: {
    lifecycle: 'NewerNoncurrentVersions and ObjectSizeGreaterThan are dropped with a 200 before release 20',
    'object-lock': 'only when the bucket is created, before release 20',
    'conditional-put': 'If-None-Match: * is sound; If-Match wants the bare ETag before release 20',
    'conditional-complete': 'ignored before release 20: the object is overwritten',
    'default-checksums': 'accepted, but neither checked nor stored before release 20',
    'chunked-trailer': 'refused by release 16',
  },
};
