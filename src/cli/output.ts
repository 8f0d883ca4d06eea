import { BucketwrightError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import { PlanProblemsError } from '../provision/errors.ts';
import { formatProblem, SettingsError } from '../settings/index.ts';
import type { CliContext } from './context.ts';

/** One line: what, where, what to do. Settings problems get a line each. */
export function formatError(error: unknown): string {
  if (error instanceof SettingsError) {
    const count = error.problems.length === 1 ? '1 problem' : `${error.problems.length} problems`;
    const lines = error.problems.map((problem) => `  ${formatProblem(problem)}`);
    return [`bucketwright: ${count} with the settings (${error.advice}):`, ...lines].join('\n');
  }
  if (error instanceof PlanProblemsError) {
    const count = error.problems.length === 1 ? '1 problem' : `${error.problems.length} problems`;
    const lines = error.problems.map(({ bucket, problem, advice }) => `  ${bucket}: ${problem}; ${advice}`);
    return [`bucketwright: ${count} with what is wanted (${error.advice}):`, ...lines].join('\n');
  }
  if (error instanceof BucketwrightError) {
    const advice = error.advice === undefined ? '' : `; ${error.advice}`;
    return `bucketwright: ${error.message}${advice}`.replaceAll('\n', ' ');
  }
  return `bucketwright: unexpected failure, please report it: ${error instanceof Error ? error.stack : String(error)}`;
}

const marks = { ok: 'ok', warn: 'WARN', fail: 'FAIL', skip: 'skip' } as const;

/** What is printed of a finding besides what was found and what to do. */
interface FindingOptions {
  /** Also why it matters, where something is wrong. */
  readonly why?: boolean;
}

/** One line a finding; below it why it matters, where that is asked for, and the advice, where something is wrong. */
export function formatFinding(finding: Finding, colors: CliContext['colors'], options: FindingOptions = {}): string {
  const paint = { ok: colors.green, warn: colors.yellow, fail: colors.red, skip: colors.dim }[finding.status];
  const time = finding.milliseconds === undefined ? '' : colors.dim(` (${finding.milliseconds} ms)`);
  const head = `${paint(marks[finding.status].padEnd(4))}  ${finding.id.padEnd(16)}  ${finding.subject}  ${finding.found}${time}`;
  const { status, why, advice } = finding;
  if (status === 'ok') return head;
  const harm = options.why === true && why !== undefined ? `\n      if it is left: ${why}` : '';
  return `${head}${harm}${advice === undefined ? '' : `\n      → ${advice}`}`;
}

/** Prints findings as they come, as text or, when all are there, as one JSON document. */
export async function printFindings(
  findings: AsyncIterable<Finding>,
  context: CliContext,
  json: boolean,
  options: FindingOptions = {},
): Promise<readonly Finding[]> {
  const all: Finding[] = [];
  for await (const finding of findings) {
    all.push(finding);
    if (!json) context.out.write(`${formatFinding(finding, context.colors, options)}\n`);
  }
  const failed = all.filter(({ status }) => status === 'fail').length;
  if (json) context.out.write(`${JSON.stringify({ ok: failed === 0, findings: all }, null, 2)}\n`);
  return all;
}

/** `12 checks: 11 ok, 1 skipped`. */
export function summary(findings: readonly Finding[]): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const parts = [
    `${count('ok')} ok`,
    ...(count('warn') > 0 ? [`${count('warn')} with a warning`] : []),
    ...(count('fail') > 0 ? [`${count('fail')} failed`] : []),
    ...(count('skip') > 0 ? [`${count('skip')} skipped`] : []),
  ];
  return `${findings.length} checks: ${parts.join(', ')}`;
}
