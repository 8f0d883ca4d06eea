import { type Register, withSettings } from '../context.ts';
import { changeTenants } from '../tenants/change.ts';
import { tenantNoun } from '../tenants/session.ts';

export const tenantPlan: Register = (program, context) => {
  const command = tenantNoun(program).command('plan');
  withSettings(command)
    .description('Show what must change so that each tenant of bucketwright.yaml has its own and nothing else.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit codes: 0 nothing to do, 2 changes.\n\nExample:\n  bucketwright tenant plan')
    .action(async ({ json }: { json?: boolean }) => {
      await changeTenants(command, context, { json, planOnly: true });
    });
};

export const tenantApply: Register = (program, context) => {
  const command = tenantNoun(program).command('apply');
  withSettings(command)
    .description('Do what tenant plan shows. Users and statements that are not ours are left alone.')
    .option('--keys <directory>', 'write new keys to <name>.env in this directory instead of printing them')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright tenant apply --keys tenant-keys --yes')
    .action(async (options: { keys?: string; yes?: boolean; json?: boolean }) => {
      await changeTenants(command, context, options);
    });
};
