import { type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';
import { untilNoticed, userNoun, userStore } from '../users.ts';

function switching(name: 'disable' | 'enable', description: string): Register {
  return (program, context) => {
    const command = userNoun(program).command(`${name} <name>`);
    withSettings(command)
      .description(description)
      .option('--json', 'print JSON')
      .addHelpText('after', `\nExample:\n  bucketwright user ${name} alice`)
      .action(async (user: string, { json }: { json?: boolean }) => {
        const { users, data } = userStore(command, context);
        const info = await users.setEnabled(user, name === 'enable');
        await untilNoticed(data);
        if (json === true) context.out.write(`${JSON.stringify(info, null, 2)}\n`);
        else context.out.write(`${user} is ${name}d\n`);
      });
  };
}

export const userDisable = switching('disable', 'Refuse every key of a user, and keep the rest.');
export const userEnable = switching('enable', 'Take the keys of a disabled user again.');

export const userRemove: Register = (program, context) => {
  const command = userNoun(program).command('remove <name>');
  withSettings(command)
    .description('Remove a user with its keys and policies. Buckets and objects stay: they are of its account.')
    .option('--yes', 'do it; without this only what would go is shown, with the exit code 2')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright user remove alice --yes')
    .action(async (name: string, { yes, json }: { yes?: boolean; json?: boolean }) => {
      const { users, data } = userStore(command, context);
      const user = users.get(name);
      const done = yes === true;
      if (done) {
        await users.remove(name);
        await untilNoticed(data);
      } else context.exit(exitCode.findings);
      if (json === true) {
        context.out.write(`${JSON.stringify({ removed: done, user }, null, 2)}\n`);
        return;
      }
      const word = done ? 'removed' : 'would remove';
      context.out.write(`${word} user ${name} of account ${user.account}\n`);
      for (const { id } of user.keys) context.out.write(`${word} key ${id}\n`);
      for (const policy of Object.keys(user.policies)) context.out.write(`${word} policy ${policy}\n`);
      if (!done) context.err.write('nothing was changed; add --yes to do it\n');
    });
};
