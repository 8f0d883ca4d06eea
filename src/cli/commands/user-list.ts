import { type Register, withSettings } from '../context.ts';
import { userNoun, userStore } from '../users.ts';

export const userList: Register = (program, context) => {
  const command = userNoun(program).command('list');
  withSettings(command)
    .description('List the users, their accounts, policies and keys. Secrets are never shown.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright user list')
    .action(({ json }: { json?: boolean }) => {
      const { users } = userStore(command, context);
      const all = users.list();
      if (json === true) {
        context.out.write(`${JSON.stringify({ accounts: users.accounts(), users: all }, null, 2)}\n`);
        return;
      }
      if (all.length === 0) context.err.write('there are no users; bucketwright user add makes one\n');
      const now = Date.now();
      for (const { name, account, owner, enabled, policies, keys } of all) {
        const may = owner ? 'owner' : Object.keys(policies).join(', ') || 'no policy';
        context.out.write(`${name}  account ${account}  ${may}${enabled ? '' : '  DISABLED'}\n`);
        for (const { id, created, expires } of keys) {
          const ended = expires !== undefined && Date.parse(expires) <= now;
          const end = expires === undefined ? '' : `, ${ended ? 'ended' : 'ends'} ${expires}`;
          context.out.write(`  ${id}  since ${created}${end}\n`);
        }
      }
    });
};
