/** Moving objects between any two places: buckets of any endpoint, and directories. */
export { type BucketPlaceOptions, bucketPlace } from './bucket-place.ts';
export { directoryPlace } from './directory-place.ts';
export { TransferError, type TransferErrorCode } from './errors.ts';
export { Journal, stateFileName } from './journal.ts';
export { type Location, overlap, parseLocation } from './location.ts';
export type { Listed, ListedObject, Place } from './place.ts';
export { type Action, type Plan, type PlanRules, planTransfer, type Refusal } from './plan.ts';
export { emptyReport, type Problem, type TransferReport } from './report.ts';
export { type RunOptions, refuse, runTransfer, type TransferOutcome, verifyTransfer } from './run.ts';
