import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { drill, verify } from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { DAY } from '../../core/durations.ts';
import type { Finding } from '../../core/finding.ts';
import { backupCommand, duration, sourceName, storesOf, withRepository } from '../backup.ts';
import { type Register, withSettings } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { printFindings, summary } from '../output.ts';

export const backupVerify: Register = (program, context) => {
  const command = backupCommand(program, 'verify');
  withSettings(command)
    .description('Check that every snapshot has all that it needs.')
    .argument('[source]', 'only of this one', sourceName)
    .option('--read-data [share]', 'read packs back, too: all, or a share such as 10%, another one each day', share)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 all is well, 2 something is damaged or missing.\n\nExamples:\n  bucketwright backup verify\n  bucketwright backup verify --read-data 10%',
    )
    .action((source: string | undefined, { readData, json }: { readData?: number | true; json?: boolean }) =>
      withRepository(command, context, async (repository) => {
        const part = readData === true ? 1 : (readData ?? 0);
        const turn = Math.floor(systemClock.now() / DAY);
        const findings = await printFindings(all(), context, json === true);
        context.exit(exitCodeOf(findings));
        if (json !== true) context.err.write(`${summary(findings)}\n`);

        async function* all(): AsyncGenerator<Finding> {
          for (const store of await storesOf(repository, source)) yield* verify({ store, share: part, turn });
        }
      }),
    );
};

function share(text: string): number {
  const value = Number(text.replace(/%$/, '')) / 100;
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('must be a share such as 10%.');
  return value;
}

export const backupDrill: Register = (program, context) => {
  const command = backupCommand(program, 'drill');
  withSettings(command)
    .description('Restore the newest snapshot to scratch space, walk all of it, and measure how long that takes.')
    .argument('<source>', 'its name in the repository', sourceName)
    .option('--scratch <directory>', 'where to restore to; removed afterwards', tmpdir())
    .option('--rto <duration>', 'how long it may take', duration)
    .option('--rpo <duration>', 'how old the newest may be', duration)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 it restores within the objectives, 2 it does not.\n\nExample:\n  bucketwright backup drill projection --rto 10m --rpo 1h',
    )
    .action(
      (source: string, { scratch, rto, rpo, json }: { scratch: string; rto?: number; rpo?: number; json?: boolean }) =>
        withRepository(command, context, async (repository) => {
          const store = repository.source(source);
          const options = { store, scratch: resolve(scratch), rto, rpo, clock: systemClock };
          const findings = await printFindings(drill(options), context, json === true);
          context.exit(exitCodeOf(findings));
        }),
    );
};
