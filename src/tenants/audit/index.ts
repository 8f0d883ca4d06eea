/** Attacks on the isolation of tenants, and what came of them. */
export { attacks } from './attacks/index.ts';
export { judge } from './judge.ts';
export { type Cell, findingsOf, formatMatrix, matrixOf } from './matrix.ts';
export type { Attack, AttackContext, AuditedTenant, AuditResult, Bait, Verdict } from './model.ts';
export { type AuditEvent, type AuditInput, auditTenants, NOBODY } from './run.ts';
