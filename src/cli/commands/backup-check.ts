import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type DrillRecord, drill, drillHistory, type SourceStore, verify } from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { DAY, formatDuration } from '../../core/durations.ts';
import type { Finding } from '../../core/finding.ts';
import { formatBytes } from '../../core/sizes.ts';
import { backupCommand, duration, isoTime, sourceName, storesOf, withRepository } from '../backup.ts';
import { type CliContext, type Register, withSettings } from '../context.ts';
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
    .option('--history', 'only print what earlier drills showed')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 it restores within the objectives, 2 it does not.\n\nExamples:\n  bucketwright backup drill projection --rto 10m --rpo 1h\n  bucketwright backup drill projection --history',
    )
    .action((source: string, { scratch, rto, rpo, history, json }: DrillFlags) =>
      withRepository(command, context, async (repository) => {
        const store = repository.source(source);
        if (history === true) return printHistory(store, json === true, context);
        const options = { store, scratch: resolve(scratch), rto, rpo, clock: systemClock };
        const findings = await printFindings(drill(options), context, json === true);
        context.exit(exitCodeOf(findings));
      }),
    );
};

interface DrillFlags {
  readonly scratch: string;
  readonly rto?: number;
  readonly rpo?: number;
  readonly history?: boolean;
  readonly json?: boolean;
}

async function printHistory(store: SourceStore, json: boolean, context: CliContext): Promise<void> {
  const all: DrillRecord[] = [];
  for await (const record of drillHistory(store)) {
    all.push(record);
    if (json) continue;
    const { time, snapshot, ok, restored, problem } = record;
    const how =
      restored === undefined
        ? (problem ?? 'failed')
        : `${formatBytes(restored.bytes)} in ${formatDuration(restored.took)}, ${restored.requests} requests${problem === undefined ? '' : `; ${problem}`}`;
    context.out.write(`${isoTime(time)}  ${snapshot}  ${ok ? 'ok  ' : 'FAIL'}  ${how}\n`);
  }
  if (json) context.out.write(`${JSON.stringify(all, null, 2)}\n`);
  else if (all.length === 0) context.err.write('no drills\n');
}
