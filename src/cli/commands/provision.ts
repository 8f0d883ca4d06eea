import { parseDuration } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { resolveConnection } from '../../providers/index.ts';
import { wantedBuckets, wantedPlaces } from '../../provision/wanted.ts';
import { loadSettings, type Register, withSettings } from '../context.ts';
import { provisionApply } from './provision-apply.ts';
import { provisionCheck } from './provision-check.ts';
import { provisionDestroy } from './provision-destroy.ts';
import { provisionImport } from './provision-import.ts';
import { provisionPlan } from './provision-plan.ts';

export const provision: Register = (program, context) => {
  // Options behind a verb are the verb's.
  const command = program.command('provision').enablePositionalOptions();
  for (const verb of [provisionPlan, provisionApply, provisionCheck, provisionImport, provisionDestroy]) {
    verb(command, context);
  }
  withSettings(command)
    .description('Alone: create the buckets that the settings name. With a verb: keep them as bucketwright.yaml says.')
    .option('--wait <duration>', 'how long to wait for the endpoint to come up', '60s')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nAlone it never deletes, changes nothing that exists, and may be run again.\n\nExamples:\n  bucketwright provision --wait 2m   (as an init container)\n  bucketwright provision plan',
    )
    .action(async ({ wait, json }: { wait: string; json?: boolean }) => {
      const milliseconds = parseDuration(wait);
      if (milliseconds === undefined) {
        throw new UsageError('--wait is no duration', { subject: '--wait', advice: 'write it like 60s or 2m' });
      }
      const settings = loadSettings(command, context);
      if (settings.storage.kind === 'filesystem') {
        if (json === true) context.out.write(`${JSON.stringify({ storage: 'filesystem', buckets: [] }, null, 2)}\n`);
        context.err.write(`${settings.storage.notice}; there is nothing to provision\n`);
        return;
      }
      const buckets = wantedBuckets(wantedPlaces(settings));
      // Loaded when it is needed: the AWS SDK takes longer to load than all the rest, and `serve` never needs it.
      const { provisionAll } = await import('../provision-all.ts');
      await provisionAll(resolveConnection(settings.storage), buckets, { milliseconds, json: json === true }, context);
    });
};
