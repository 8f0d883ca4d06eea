import type { Command } from 'commander';
import type { Finding } from '../../core/finding.ts';
import { driftFindings, type PlanProblem, planTwice } from '../../provision/index.ts';
import { type CliContext, withSettings } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { formatFinding, printFindings, summary } from '../output.ts';
import { withSession } from '../provision/session.ts';

export function provisionCheck(parent: Command, context: CliContext): void {
  const command = parent.command('check');
  withSettings(command)
    .description('Look for drift: what was changed by hand, who is stricter, and what may happen. Changes nothing.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 no drift, 2 drift.\n\nExample, for cron:\n  bucketwright provision check --environment production || mail -s drift ops@example.com',
    )
    .action(async ({ json }: { json?: boolean }) => {
      await withSession(command, context, async ({ settings, connection, client }) => {
        const { plan, problems } = await planTwice(settings, connection, client);
        const findings = [...problems.map(problemFinding), ...driftFindings(plan)];
        if (json === true) await printFindings(each(findings), context, true);
        else {
          for (const finding of findings) context.out.write(`${formatDrift(finding, context)}\n`);
          if (plan.unmanagedBuckets.length > 0) {
            context.err.write(`not in the configuration: ${plan.unmanagedBuckets.join(', ')}\n`);
          }
          context.err.write(`${summary(findings)}\n`);
          if (findings.some(({ id, status }) => status === 'fail' && id.startsWith('drift-'))) {
            context.err.write(
              'bucketwright provision apply puts it right; what is right as it is belongs into the manifest\n',
            );
          }
        }
        context.exit(exitCodeOf(findings));
      });
    });
}

/** A finding with what should be and what may happen, which is what somebody woken by cron wants to know. */
function formatDrift(finding: Finding, context: CliContext): string {
  const { expected, why, id, advice } = finding;
  const isDrift = id.startsWith('drift-');
  const head = formatFinding({ ...finding, advice: isDrift ? undefined : advice }, context.colors);
  if (finding.status !== 'fail' || !isDrift) return head;
  return `${head}\n      wanted: ${expected}\n      ${why}`;
}

function problemFinding({ kind, bucket, problem, advice }: PlanProblem): Finding {
  return { id: `cannot-${kind}`, status: 'fail', subject: `bucket ${bucket}`, found: problem, advice };
}

async function* each(findings: readonly Finding[]) {
  yield* findings;
}
