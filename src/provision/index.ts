/** Desired and actual state of an S3 API: plan, apply, check, import. */
export { type LiveBucket, mapConcurrently, readBucket, readLive } from './actual.ts';
export { type ApplyOptions, type ApplyStep, applyPlan, refuseProblems } from './apply.ts';
export { trialPolicy, writePolicySafely } from './apply-policy.ts';
export { type DesiredBucket, desiredBuckets, OUR_RULES } from './desired.ts';
export { driftFindings } from './drift.ts';
export { type PlanProblem, PlanProblemsError, ProvisionError, type ProvisionErrorCode } from './errors.ts';
export { type Imported, importBuckets } from './import.ts';
export { type DiffLine, diffOf, meaningOf } from './meaning.ts';
export { type AttributeChange, type BucketPlan, isEmptyPlan, makePlan, type Plan } from './plan.ts';
export { policyProblems } from './policy-guard.ts';
export { type ProvisionResult, provisionBuckets } from './provision.ts';
export { parseSavedPlan, remainingOf, type SavedPlan, savePlan } from './saved-plan.ts';
export { type Planned, planOncePermitted, planProvisioning, planTwice } from './session.ts';
export { type WaitOptions, waitForEndpoint } from './wait.ts';
export { type WantedPlace, wantedBuckets, wantedPlaces } from './wanted.ts';
