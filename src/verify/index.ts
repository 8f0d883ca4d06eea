/** Proof by real requests that an S3 API does what our features need, and a diagnosis of this machine. */
export type { CanaryPlace } from './canary.ts';
export { type DoctorInput, doctor } from './doctor.ts';
export { verify } from './verify.ts';
