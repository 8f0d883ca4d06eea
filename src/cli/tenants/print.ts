import { formatBytes } from '../../core/sizes.ts';
import { diffOf } from '../../provision/index.ts';
import type { TenantChange, TenantPlan, TenantQuota } from '../../tenants/index.ts';
import type { CliContext } from '../context.ts';

/** A plan for people, in the form that users of Terraform know. */
export function formatTenantPlan(plan: TenantPlan, where: string, colors: CliContext['colors']): string {
  const lines = [`At ${where} tenants are kept apart by ${words[plan.isolation]}:`, `  ${plan.tradeOff}.`, ''];
  for (const change of plan.changes) lines.push(...changeLines(change, colors));
  if (plan.changes.length === 0) lines.push('No changes.');
  if (plan.byHand.length > 0)
    lines.push('', 'To be done by hand:', ...plan.byHand.map((step, at) => `  ${at + 1}. ${step}`));
  if (plan.notes.length > 0) lines.push('', ...plan.notes.map((note) => `note: ${note}`));
  return `${lines.join('\n')}\n`;
}

const words: Readonly<Record<TenantPlan['isolation'], string>> = {
  users: 'users of the embedded server',
  identity: 'users of the provider',
  principals: 'bucket policies',
  'own-bucket': 'a bucket and a key each',
};

function changeLines(change: TenantChange, { green, yellow, red }: CliContext['colors']): readonly string[] {
  switch (change.kind) {
    case 'create-bucket':
      return [green(`  + bucket "${change.bucket}"`)];
    case 'add-user':
      return [
        green(`  + user "${change.tenant}" with a key and this policy:`),
        ...json(change.policy),
        ...(change.quota === undefined ? [] : [green(`      and a quota: ${amount(change.quota)}`)]),
      ];
    case 'set-user-quota':
      return [yellow(`  ~ user "${change.tenant}" may keep ${amount(change.quota)}`)];
    case 'set-user-policy':
      return [yellow(`  ~ user "${change.tenant}" gets this policy:`), ...json(change.policy)];
    case 'suspend-user':
      return [yellow(`  ~ user "${change.tenant}" is suspended: all its keys are refused`)];
    case 'resume-user':
      return [yellow(`  ~ user "${change.tenant}" is let in again`)];
    case 'remove-user':
      return [red(`  - user "${change.tenant}" with all its keys; its objects stay`)];
    case 'set-bucket-policy':
      if (change.after === undefined) return [red(`  - policy of bucket "${change.bucket}"`)];
      return change.before === undefined
        ? [green(`  + policy of bucket "${change.bucket}":`), ...json(change.after)]
        : [yellow(`  ~ policy of bucket "${change.bucket}":`), ...diff(change)];
  }
}

const amount = (quota: TenantQuota | undefined): string =>
  quota === undefined
    ? 'as much as there is room for'
    : `${formatBytes(quota.bytes)} in ${quota.buckets.join(' and ')}${quota.buckets.length > 1 ? ' together' : ''}`;

const json = (value: object): readonly string[] =>
  JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) => `      ${line}`);

const diff = ({ before, after }: Extract<TenantChange, { kind: 'set-bucket-policy' }>): readonly string[] =>
  diffOf('policy', before, after).map(({ sign, path, before: was, after: now }) => {
    const value = sign === '~' ? `${was} -> ${now}` : (now ?? was);
    return `      ${sign} ${path} = ${value}`;
  });
