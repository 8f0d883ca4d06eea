import { UsageError } from '../../core/errors.ts';
import { type Register, withSettings } from '../context.ts';
import { readPolicy, untilNoticed, userNoun, userStore } from '../users.ts';

export const userPolicy: Register = (program, context) => {
  const command = userNoun(program).command('policy <name>');
  withSettings(command)
    .description('Show the policies of a user, or change them. They are checked before anything is written.')
    .option('--set <policy>', 'add or replace one: readwrite, readonly, writeonly, a JSON file, or name=file')
    .option('--remove <policy>', 'take the policy of this name away')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  bucketwright user policy alice\n  bucketwright user policy alice --set uploads=uploads.json\n  bucketwright user policy alice --remove readwrite',
    )
    .action(async (name: string, { set, remove, json }: { set?: string; remove?: string; json?: boolean }) => {
      if (set !== undefined && remove !== undefined) {
        throw new UsageError('--set and --remove exclude each other', { advice: 'run the command twice' });
      }
      const { users, data } = userStore(command, context);
      let user = users.get(name);
      if (set !== undefined) user = await users.setPolicy(name, ...readPolicy(set));
      if (remove !== undefined) user = await users.setPolicy(name, remove, undefined);
      if (set !== undefined || remove !== undefined) await untilNoticed(data);
      if (json === true) {
        context.out.write(`${JSON.stringify({ user: name, policies: user.policies }, null, 2)}\n`);
        return;
      }
      for (const [policy, document] of Object.entries(user.policies)) {
        context.out.write(`${policy}:\n${document.trim().replace(/^/gm, '  ')}\n`);
      }
      if (Object.keys(user.policies).length === 0) {
        context.err.write(
          user.owner ? `${name} owns its account\n` : `${name} has no policy: it may do nothing of its own\n`,
        );
      }
    });
};
