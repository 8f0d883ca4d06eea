import type { Command } from 'commander';
import { writeFileDurably } from '../../fs/durable.ts';
import { isEmptyPlan, PlanProblemsError, planProvisioning, savePlan } from '../../provision/index.ts';
import { type CliContext, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';
import { formatPlan, planDocument } from '../provision/print.ts';
import { withSession } from '../provision/session.ts';

interface Options {
  readonly out?: string;
  readonly json?: boolean;
}

export function provisionPlan(parent: Command, context: CliContext): void {
  const command = parent.command('plan');
  withSettings(command)
    .description('Say what would change at the S3 API so that it is as the configuration says. Changes nothing.')
    .option('--out <file>', 'save the plan, for `provision apply FILE`')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 no changes, 2 there are changes, 77 denied, 78 what is wanted is not to be had.\n\nExample:\n  bucketwright provision plan --environment staging --out staging.plan',
    )
    .action(async ({ out, json }: Options) => {
      await withSession(command, context, async ({ settings, connection, client, where }) => {
        const { plan, problems } = await planProvisioning(settings, connection, client);
        const endpoint = connection.endpoint.url;
        if (json === true) {
          const document = { endpoint, provider: connection.provider.name, ...planDocument(plan), problems };
          context.out.write(`${JSON.stringify(document, null, 2)}\n`);
        }
        if (problems.length > 0) throw new PlanProblemsError(problems);
        if (json !== true) context.out.write(`${formatPlan(plan, where, context.colors)}\n`);
        if (out !== undefined) {
          const { environment } = settings.manifest;
          await writeFileDurably(out, savePlan(plan, { endpoint, environment, now: Date.now() }));
          const overlay = environment === undefined ? '' : ` --environment ${environment}`;
          context.err.write(`saved  ${out}: bucketwright provision apply ${out}${overlay}\n`);
        }
        if (!isEmptyPlan(plan)) context.exit(exitCode.findings);
      });
    });
}
