import { formatBytes } from '../../core/sizes.ts';
import { type Register, withSettings } from '../context.ts';
import { connectionOf, manifestText, settingsOf, tenantNoun, tenantUsers } from '../tenants/session.ts';

export const tenantList: Register = (program, context) => {
  const command = tenantNoun(program).command('list');
  withSettings(command)
    .description('List the tenants of bucketwright.yaml, their places and keys. Secrets are never shown.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright tenant list')
    .action(async ({ json }: { json?: boolean }) => {
      const manifest = manifestText(command, context);
      const settings = settingsOf(manifest, manifest.text);
      const connection = connectionOf(settings);
      const users = tenantUsers(settings, connection)?.list();
      const { tenants } = settings.manifest;
      const rows = tenants.map(({ name, places, principals, suspended, quotaBytes }) => ({
        name,
        places: places.map(({ bucket, prefix }) => (prefix === '' ? bucket : `${bucket}/${prefix}`)),
        principals,
        suspended,
        quotaBytes,
        keys: users === undefined ? undefined : (users.find((user) => user.name === name)?.keys ?? []),
      }));
      if (json === true) {
        context.out.write(`${JSON.stringify({ provider: connection.provider.name, tenants: rows }, null, 2)}\n`);
        return;
      }
      if (rows.length === 0) context.err.write('there are no tenants; bucketwright tenant add makes one\n');
      for (const { name, places, principals, suspended, quotaBytes, keys } of rows) {
        const quota = quotaBytes === undefined ? '' : `  at most ${formatBytes(quotaBytes)}`;
        context.out.write(`${name}  ${places.join(', ')}${quota}${suspended ? '  SUSPENDED' : ''}\n`);
        for (const principal of principals) context.out.write(`  ${principal}\n`);
        for (const { id, created, expires } of keys ?? []) {
          context.out.write(`  ${id}  since ${created}${expires === undefined ? '' : `, ends ${expires}`}\n`);
        }
        if (keys?.length === 0) context.out.write('  no key yet: bucketwright tenant apply\n');
      }
    });
};
