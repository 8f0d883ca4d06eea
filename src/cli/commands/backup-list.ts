import type { Snapshot } from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { formatDuration } from '../../core/durations.ts';
import type { Finding } from '../../core/finding.ts';
import { formatBytes } from '../../core/sizes.ts';
import { backupCommand, duration, isoTime, snapshotFacts, sourceName, withRepository } from '../backup.ts';
import { type Register, withSettings } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { formatError, printFindings } from '../output.ts';

export const backupList: Register = (program, context) => {
  const command = backupCommand(program, 'list');
  withSettings(command)
    .description('List the snapshots, newest first, by source.')
    .argument('[source]', 'only of this one', sourceName)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright backup list projection')
    .action((source: string | undefined, { json }: { json?: boolean }) =>
      withRepository(command, context, async (repository) => {
        const all: Snapshot[] = [];
        const told = (error: unknown) => void context.err.write(`${formatError(error)}\n`);
        for await (const snapshot of repository.snapshots(source, told)) {
          all.push(snapshot);
          if (json === true) continue;
          const { content, added } = snapshot;
          const what = content.kind === 'mdbx' ? `transaction ${content.txnid}` : 'directory';
          context.out.write(
            `${isoTime(snapshot.time)}  ${snapshot.source}  ${snapshot.id}  ${what}  ${formatBytes(added.stored)} added\n`,
          );
        }
        if (json === true) context.out.write(`${JSON.stringify(all.map(snapshotFacts), null, 2)}\n`);
        else if (all.length === 0) context.err.write('no snapshots\n');
      }),
    );
};

export const backupStatus: Register = (program, context) => {
  const command = backupCommand(program, 'status');
  withSettings(command)
    .description('Say of each source how old its newest snapshot is.')
    .option('--rpo <duration>', 'how old that may be', duration)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 all are within the objective, 2 one is not.\n\nExample:\n  bucketwright backup status --rpo 1h',
    )
    .action(({ rpo, json }: { rpo?: number; json?: boolean }) =>
      withRepository(command, context, async (repository) => {
        const bySource = new Map<string, Snapshot[]>();
        for await (const snapshot of repository.snapshots(undefined, () => undefined)) {
          bySource.set(snapshot.source, [...(bySource.get(snapshot.source) ?? []), snapshot]);
        }
        const findings = await printFindings(each(), context, json === true);
        context.exit(exitCodeOf(findings));

        async function* each(): AsyncGenerator<Finding> {
          for (const [source, [newest, ...older]] of bySource) {
            if (newest === undefined) continue;
            const age = systemClock.now() - newest.time;
            const late = rpo !== undefined && age > rpo;
            const stored = [newest, ...older].reduce((sum, { added }) => sum + added.stored, 0);
            yield {
              id: 'newest',
              status: late ? 'fail' : 'ok',
              subject: source,
              found: `${formatDuration(age)} old, ${older.length + 1} snapshots, ${formatBytes(stored)} stored`,
              ...(rpo === undefined ? {} : { expected: `at most ${formatDuration(rpo)} old` }),
              ...(late ? { why: 'what was written since would be lost', advice: 'see why backups do not run' } : {}),
            };
          }
        }
      }),
    );
};
