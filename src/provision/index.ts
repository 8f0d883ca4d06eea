/** Desired and actual state of an S3 API; in this first form: the buckets that the settings name. */
export { type ProvisionResult, provisionBuckets } from './provision.ts';
export { type WaitOptions, waitForEndpoint } from './wait.ts';
export { type WantedPlace, wantedBuckets, wantedPlaces } from './wanted.ts';
