import type { TenantEdit } from '../../settings/index.ts';
import { type Register, withSettings } from '../context.ts';
import { changeTenants } from '../tenants/change.ts';
import { tenantOf } from '../tenants/find.ts';
import { manifestText, settingsOf, tenantNoun } from '../tenants/session.ts';

interface Options {
  readonly yes?: boolean;
  readonly json?: boolean;
}

function changing(
  verb: 'suspend' | 'resume' | 'remove',
  description: string,
  editOf: (name: string) => TenantEdit,
): Register {
  return (program, context) => {
    const command = tenantNoun(program).command(`${verb} <name>`);
    withSettings(command)
      .description(description)
      .option('--yes', 'do not ask')
      .option('--json', 'print JSON')
      .addHelpText('after', `\nExample:\n  bucketwright tenant ${verb} acme --yes`)
      .action(async (name: string, options: Options) => {
        const manifest = manifestText(command, context);
        tenantOf(settingsOf(manifest, manifest.text), name);
        const removed = verb === 'remove' ? [name] : [];
        await changeTenants(command, context, { ...options, edit: editOf(name), removed });
      });
  };
}

export const tenantSuspend = changing('suspend', 'Shut a tenant out for now. What it has stays.', (name) => ({
  kind: 'suspend',
  name,
  suspended: true,
}));

export const tenantResume = changing('resume', 'Let a suspended tenant in again.', (name) => ({
  kind: 'suspend',
  name,
  suspended: false,
}));

export const tenantRemove = changing(
  'remove',
  'Take a tenant, its keys and what policies say of it away. Buckets and objects stay.',
  (name) => ({ kind: 'remove', name }),
);
