import type { Finding } from '../../src/core/finding.ts';
import type { Connection } from '../../src/providers/index.ts';
import { type AuditedTenant, type AuditResult, auditTenants, findingsOf } from '../../src/tenants/index.ts';

export interface Audited {
  readonly results: readonly AuditResult[];
  /** One line each: everything that failed. */
  readonly failures: readonly string[];
  readonly lines: readonly string[];
}

export interface AuditAllOptions {
  readonly otherBuckets?: readonly string[];
  /** For broken policies: ends at the first failure of which this holds. */
  readonly until?: (failure: string) => boolean;
}

/** A whole audit, or until the first thing that fails. */
export async function auditAll(
  tenants: readonly AuditedTenant[],
  administrator: Connection,
  { otherBuckets = [], until = () => false }: AuditAllOptions = {},
): Promise<Audited> {
  const results: AuditResult[] = [];
  const findings: Finding[] = [];
  for await (const event of auditTenants({ tenants, administrator, otherBuckets })) {
    if (event.kind === 'attack') results.push(event.result);
    else findings.push(event.finding);
    const found = event.kind === 'attack' ? findingsOf([event.result]) : [event.finding];
    if (found.some((one) => one.status === 'fail' && until(line(one)))) break;
  }
  const all = [...findingsOf(results), ...findings];
  return { results, failures: all.filter(({ status }) => status === 'fail').map(line), lines: all.map(line) };
}

const line = ({ id, subject, found }: Finding) => `${id} ${subject}: ${found}`;
