import type { FeatureState, ProviderProfile } from './profile.ts';

const unknown: FeatureState = 'unknown';

/** Garage. As documented and reported until November 2026; nothing here was measured by us: `bucketwright provider probe` does. https://garagehq.deuxfleurs.fr/documentation/reference-manual/s3-compatibility/ */
export const garage: ProviderProfile = {
  name: 'garage',
  title: 'Garage',
  hosts: [/^garage(?:[.-]|$)/],
  regionOf: () => undefined,
  defaultRegion: 'garage',
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
    'lifecycle-noncurrent': 'no',
    'lifecycle-keep-versions': 'no',
    'lifecycle-sizes': unknown,
    'lifecycle-tags': unknown,
    'lifecycle-dates': unknown,
    'lifecycle-transitions': 'no',
    versioning: 'no',
    'object-lock': 'no',
    'bucket-tagging': 'no',
    'object-tagging': 'no',
    cors: 'yes',
    'conditional-put': 'no',
    'conditional-complete': 'no',
    'default-checksums': 'yes',
    'chunked-trailer': 'yes',
  },
  notes: {
    'bucket-policy': 'Garage grants read, write and owner per key and bucket, by its own command line',
    lifecycle: 'expiration and abandoned uploads by Filter only; a prefix beside the Filter is refused',
    'conditional-put': 'If-None-Match is ignored without a word: the object is overwritten',
    'conditional-complete': 'ignored: the object is overwritten',
  },
};
