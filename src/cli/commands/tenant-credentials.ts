import { DAY } from '../../core/durations.ts';
import { type Register, withSettings } from '../context.ts';
import { tenantOf } from '../tenants/find.ts';
import { connectionOf, manifestText, settingsOf, tenantNoun, tenantUsers } from '../tenants/session.ts';

export const tenantCredentials: Register = (program, context) => {
  const command = tenantNoun(program).command('credentials <name>');
  withSettings(command)
    .description(
      'Show the keys of a tenant, their age, and how it gets another. Secrets were handed out once, and are not kept.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright tenant credentials acme')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const manifest = manifestText(command, context);
      const settings = settingsOf(manifest, manifest.text);
      const connection = connectionOf(settings);
      const { principals } = tenantOf(settings, name);
      const users = tenantUsers(settings, connection)?.list();
      const { keySteps } = await import('../../tenants/index.ts');
      const keys = users?.find((user) => user.name === name)?.keys ?? [];
      const next =
        users === undefined
          ? keySteps(name, connection.provider.name)
          : [`bucketwright tenant rotate ${name} --out FILE`];
      if (json === true) {
        context.out.write(`${JSON.stringify({ tenant: name, keys, principals, next }, null, 2)}\n`);
        return;
      }
      for (const { id, created, expires } of keys) {
        const days = Math.floor((Date.now() - Date.parse(created)) / DAY);
        context.out.write(`${id}  ${days} days old${expires === undefined ? '' : `, ends ${expires}`}\n`);
      }
      for (const principal of principals) context.out.write(`${principal}\n`);
      context.out.write(`for another key:\n${next.map((step) => `  ${step}\n`).join('')}`);
    });
};
