import { type BucketPlan, type DiffLine, isEmptyPlan, type Plan } from '../../provision/index.ts';
import type { CliContext } from '../context.ts';

type Colors = CliContext['colors'];

const verbs = { create: '+', update: '~', none: ' ' } as const;

/** The plan as users of Terraform know it: `+ ~ -`, attribute by attribute. */
export function formatPlan(plan: Plan, where: string, colors: Colors): string {
  const shown = plan.buckets.filter(({ action, warnings }) => action !== 'none' || warnings.length > 0);
  const blocks = shown.map((bucket) => formatBucket(bucket, colors));
  const head = isEmptyPlan(plan) ? [] : [`At ${where} this is to be done:\n`];
  return [...head, ...blocks, ...leftAlone(plan, colors), summaryOf(plan)].join('\n');
}

function formatBucket(bucket: BucketPlan, colors: Colors): string {
  const { name, uses, action, changes, withObjectLock, warnings } = bucket;
  const use = uses.length === 0 ? '' : colors.dim(`  # ${uses.join(', ')}`);
  const lines = [`  ${paint(verbs[action], colors)} bucket "${name}"${use}`];
  if (withObjectLock && !changes.some(({ attribute }) => attribute === 'objectLock')) {
    lines.push(`      ${paint('+', colors)} objectLock = true`);
  }
  const rows = changes.flatMap(({ attribute, lines: diff }) =>
    diff.map((line) => ({ line, path: pathOf(attribute, line) })),
  );
  const width = Math.min(60, Math.max(0, ...rows.map(({ path }) => path.length)));
  for (const { line, path } of rows) {
    lines.push(`      ${paint(line.sign, colors)} ${path.padEnd(width)} = ${shownValue(line)}`);
  }
  for (const warning of warnings) lines.push(`      ${colors.yellow('!')} ${warning}`);
  return `${lines.join('\n')}\n`;
}

function pathOf(attribute: string, { path }: DiffLine): string {
  if (path === '') return attribute;
  return path.startsWith('[') ? `${attribute}${path}` : `${attribute}.${path}`;
}

function shownValue({ sign, before, after }: DiffLine): string {
  return sign === '~' ? `${before} -> ${after}` : `${sign === '+' ? after : before}`;
}

function paint(sign: string, colors: Colors): string {
  switch (sign) {
    case '+':
      return colors.green(sign);
    case '-':
      return colors.red(sign);
    case '~':
      return colors.yellow(sign);
    default:
      return sign;
  }
}

/** What nobody manages, by name: at most so many buckets, since an account may have a hundred. */
function leftAlone(plan: Plan, colors: Colors): string[] {
  const lines = plan.buckets
    .filter(({ unmanaged }) => unmanaged.length > 0)
    .map(({ name, unmanaged }) => colors.dim(`  # left alone in ${name}: ${unmanaged.join(', ')}`));
  const others = plan.unmanagedBuckets;
  if (others.length > 0) {
    const rest = others.length > 10 ? ` and ${others.length - 10} more` : '';
    lines.push(
      colors.dim(
        `  # left alone: ${others.length === 1 ? 'bucket' : 'buckets'} ${others.slice(0, 10).join(', ')}${rest}`,
      ),
    );
  }
  return lines.length === 0 ? [] : [`${lines.join('\n')}\n`];
}

function summaryOf(plan: Plan): string {
  if (isEmptyPlan(plan)) {
    const count = plan.buckets.length;
    return `No changes. ${count === 1 ? 'The bucket is' : `All ${count} buckets are`} as the configuration says.`;
  }
  const count = (action: BucketPlan['action']) => plan.buckets.filter((bucket) => bucket.action === action).length;
  return `Plan: ${count('create')} to create, ${count('update')} to change, 0 to destroy.`;
}

/** The plan for machines. */
export function planDocument(plan: Plan): object {
  return {
    changes: !isEmptyPlan(plan),
    buckets: plan.buckets.map(({ name, uses, action, changes, unmanaged, warnings }) => ({
      name,
      uses,
      action,
      changes: changes.map(({ attribute, before, after, lines }) => ({
        attribute,
        before: before ?? null,
        after: after ?? null,
        lines,
      })),
      unmanaged,
      warnings,
    })),
    unmanagedBuckets: plan.unmanagedBuckets,
  };
}
