/** Who has what to itself on one S3 API: policies, plans, and an audit that attacks. */
export { type ApplyTenantsOptions, applyTenants, type TenantStep } from './apply.ts';
export {
  type AuditEvent,
  type AuditedTenant,
  type AuditInput,
  type AuditResult,
  auditTenants,
  findingsOf,
  formatMatrix,
  matrixOf,
} from './audit/index.ts';
export { TenantError, type TenantErrorCode } from './errors.ts';
export { type Isolation, isolationOf } from './isolation.ts';
export { readTenancy } from './live.ts';
export { type Place, showPlace, type Tenant } from './model.ts';
export { keySteps, planTenants, policyText, TENANT_POLICY, tenantBuckets } from './plan.ts';
export type {
  LiveTenancy,
  TenantChange,
  TenantPlan,
  TenantPlanInput,
  TenantProblem,
  TenantQuota,
} from './plan-model.ts';
export { bucketPolicy, identityPolicy, OUR_STATEMENTS, tenantStatements } from './policies.ts';
