import { ceph } from './ceph.ts';
import type { ProviderProfile } from './profile.ts';

const host = /^(?:[a-z0-9.-]+\.)?([a-z]{3}[0-9])\.your-objectstorage\.com$/;

/** Hetzner Object Storage, a Ceph RADOS Gateway. https://docs.hetzner.com/storage/object-storage/overview */
export const hetzner: ProviderProfile = {
  name: 'hetzner',
  title: 'Hetzner Object Storage',
  hosts: [host],
  // The location is the region by convention; any region is accepted in a signature.
  regionOf: (name) => host.exec(name)?.[1],
  defaultRegion: 'fsn1',
  regionMatters: false,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'rule',
  lifecycleNeedsActiveVersions: true,
  policy: {
    principal: {
      pattern: /^arn:aws:iam:::user\/p\d+:[A-Za-z0-9]+$/,
      form: 'arn:aws:iam:::user/p<project id>:<access key id>',
    },
    refusedActions: ['s3:PutEncryptionConfiguration', 's3:PutBucketOwnershipControls'],
    ignored: ['NotAction'],
    principalEndsWithKeyId: true,
    // "about a minute"; facts of published runbooks.
    settleMs: 60_000,
    lockoutIsFinal: true,
  },
  features: {
    ...ceph.features,
    'public-access-block': 'unknown',
    'lifecycle-transitions': 'no',
    'lifecycle-tags': 'no',
    'lifecycle-dates': 'no',
    'bucket-tagging': 'no',
    'object-tagging': 'no',
    'chunked-trailer': 'no',
  },
  notes: {
    ...ceph.notes,
    lifecycle: 'expiration and noncurrent expiration in days only; no rule runs while versioning is suspended',
    'bucket-tagging': '501',
    'object-tagging': '501',
    'conditional-put': 'If-None-Match: * in unversioned buckets; If-Match wants the bare ETag',
    'conditional-complete': 'ignored: the object is overwritten',
    'default-checksums': 'accepted, but a wrong one is ignored',
    'chunked-trailer': 'refused with 400 when last reported (2025)',
  },
};
