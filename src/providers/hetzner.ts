import { MINUTE } from '../core/durations.ts';
import { KiB } from '../core/sizes.ts';
import { ceph } from './ceph.ts';
import type { ProviderProfile } from './profile.ts';
import { rgwActions } from './rgw-actions.ts';

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
    // Two that Ceph's documentation has are refused with ServiceUnavailable; what Ceph itself refuses is not in its list.
    actions: rgwActions,
    ignored: ['NotAction'],
    principalEndsWithKeyId: true,
    // "about a minute"; facts of published runbooks.
    settleMs: MINUTE,
    lockoutIsFinal: true,
  },
  conditions: ceph.conditions,
  conditionsNeedUnversioned: true,
  ifMatchBare: true,
  aclClearsPolicy: true,
  htmlErrors: true,
  limits: { requestsPerSecond: 750, connections: 256, buckets: 100, keys: 200, leastBilledBytes: 64 * KiB },
  // "Several minutes", in published runbooks: HeadObject answers 403 while ListBuckets works.
  keysSettleMs: 5 * MINUTE,
  keysByHand: [
    'open https://console.hetzner.com and the project that the key is to belong to',
    'go to Security, then S3 credentials, then "Generate credentials"; name it after the service that will use it',
    'copy both halves at once: the secret is shown only this time',
    'put the secret into a file of mode 0600 and name it by S3_SECRET_ACCESS_KEY_FILE',
    "note the project number (in the console's address) and the access key id: together they are the principal",
    'wait some minutes: until then a new key answers 403',
  ],
  rules: [
    'Keys cannot be made by an API; they are made in the console.',
    'Every key reaches all buckets of its project, now and later, with every right. Keys are isolated by a second project and an Allow, or within the project by a Deny with NotPrincipal; an Allow alone takes nothing away there.',
    "A wrong principal in a Deny locks everybody out for good, the project's owner too: only support can help.",
    'A canned ACL on a bucket clears its policy.',
    'A location knows only its own buckets: elsewhere they are NoSuchBucket.',
    'A policy holds after about a minute, a new key after several.',
    'An action in a policy that is not of the list which Ceph knows makes the whole policy fail.',
    '429 and 501 come as HTML.',
    '750 requests a second and 256 connections are the budget of one address, for all buckets together.',
    'An object below 64 KB is billed as 64 KB.',
  ],
  isolation: 'principals',
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
    'lifecycle-transitions': 'there is one storage class',
    'bucket-tagging': '501',
    'object-tagging': '501',
    'conditional-put': 'If-None-Match: * in unversioned buckets; If-Match wants the bare ETag',
    'conditional-complete': 'ignored: the object is overwritten',
    'default-checksums': 'accepted, but a wrong one is ignored',
    'chunked-trailer': 'refused with 400 when last reported (2025)',
  },
};
