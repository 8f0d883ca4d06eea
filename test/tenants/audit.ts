import type { Connection } from '../../src/providers/index.ts';
import { type AuditedTenant, type AuditResult, auditTenants, findingsOf } from '../../src/tenants/index.ts';

export interface Audited {
  readonly results: readonly AuditResult[];
  /** One line each: everything that failed. */
  readonly failures: readonly string[];
  readonly lines: readonly string[];
}

/** A whole audit, or, for broken policies, until the first thing that fails. */
export async function auditAll(
  tenants: readonly AuditedTenant[],
  administrator: Connection,
  options: { readonly otherBuckets?: readonly string[]; readonly untilFailure?: boolean } = {},
): Promise<Audited> {
  const results: AuditResult[] = [];
  const findings: ReturnType<typeof findingsOf>[number][] = [];
  for await (const event of auditTenants({ tenants, administrator, otherBuckets: options.otherBuckets ?? [] })) {
    if (event.kind === 'attack') results.push(event.result);
    else findings.push(event.finding);
    const failed =
      event.kind === 'attack' ? /^(leak|unclear)$/.test(event.result.verdict) : event.finding.status === 'fail';
    if (options.untilFailure === true && failed) break;
  }
  const all = [...findingsOf(results), ...findings];
  const line = (one: (typeof all)[number]) => `${one.id} ${one.subject}: ${one.found}`;
  return { results, failures: all.filter(({ status }) => status === 'fail').map(line), lines: all.map(line) };
}
