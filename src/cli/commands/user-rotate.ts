import { parseDuration } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { type Register, withSettings } from '../context.ts';
import { checkOut, handOut, untilNoticed, userNoun, userStore } from '../users.ts';

export const userRotate: Register = (program, context) => {
  const command = userNoun(program).command('rotate <name>');
  withSettings(command)
    .description('Make a new key for a user. The keys it has go on working for a while, so that nothing breaks.')
    .option('--overlap <duration>', 'how long the old keys work on; 0s ends them at once', '24h')
    .option('--out <file>', 'write the key to this new file, mode 0600, instead of printing it')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright user rotate alice --overlap 1h --out alice-2.env')
    .action(async (name: string, { overlap, out, json }: { overlap: string; out?: string; json?: boolean }) => {
      const milliseconds = /^0[a-z]*$/.test(overlap) ? 0 : parseDuration(overlap);
      if (milliseconds === undefined) {
        throw new UsageError('--overlap is no duration', { subject: '--overlap', advice: 'write it like 24h or 0s' });
      }
      checkOut(out);
      const { users, data } = userStore(command, context);
      const { replaced, until, ...key } = await users.rotate(name, milliseconds);
      await handOut(key, out, json === true, context, { replaced, until });
      if (json !== true && replaced.length > 0) {
        context.err.write(
          milliseconds === 0
            ? `${replaced.join(', ')} no longer works\n`
            : `${replaced.join(', ')} works until ${until}\n`,
        );
      }
      await untilNoticed(data);
    });
};
