import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';
const host = /(?:^|\.)s3\.([a-z]{2}-[a-z]{3})\.scw\.cloud$/;

/** Scaleway Object Storage. As documented and reported until November 2026; nothing here was measured by us: `bucketwright provider probe` does. https://www.scaleway.com/en/docs/object-storage/api-cli/using-api-call-list/ */
export const scaleway: ProviderProfile = {
  name: 'scaleway',
  title: 'Scaleway Object Storage',
  hosts: [host],
  regionOf: (name) => host.exec(name)?.[1],
  defaultRegion: 'fr-par',
  regionMatters: true,
  pathStyle: true,
  checksums: 'when-required',
  locationConstraint: 'omit',
  lifecyclePrefix: 'filter',
  // The owner of the organization may always put and delete policies; nobody else may who is not named.
  // https://www.scaleway.com/en/docs/object-storage/api-cli/bucket-policy/
  policy: {
    principal: {
      pattern: /^SCW (?:user_id|application_id):[0-9a-f-]{36}$/,
      form: '{ SCW: "application_id:<uuid>" } or user_id',
    },
    bareResources: true,
    implicitDeny: true,
    settleMs: 0,
    lockoutIsFinal: false,
  },
  conditions: ['put-if-absent'],
  features: {
    'bucket-policy': 'partial',
    'public-access-block': unknown,
    'bucket-encryption': unknown,
    lifecycle: 'yes',
    'lifecycle-abort-uploads': 'yes',
    'lifecycle-noncurrent': unknown,
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
    'default-checksums': unknown,
    'chunked-trailer': unknown,
  },
  notes: {
    'bucket-policy':
      'Version 2023-04-17, resources without ARN; once a bucket has a policy, everybody it does not name is shut out',
    'conditional-put': 'since July 2026',
  },
};
