import { resolve } from 'node:path';
import { restore } from '../../backup/index.ts';
import { formatDuration } from '../../core/durations.ts';
import { formatBytes } from '../../core/sizes.ts';
import { backupCommand, findSnapshot, isoTime, moment, snapshotFacts, sourceName, withRepository } from '../backup.ts';
import { type Register, withSettings } from '../context.ts';
import { interruption } from '../interruption.ts';

interface Options {
  readonly snapshot?: string;
  readonly at?: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

export const backupRestore: Register = (program, context) => {
  const command = backupCommand(program, 'restore');
  withSettings(command)
    .description('Restore a snapshot to a new place: the newest, one by its id, or as it was at a time.')
    .argument('<source>', 'its name in the repository', sourceName)
    .argument('<target>', 'where to; must not exist yet')
    .option('--snapshot <id>', 'the first letters of its id')
    .option('--at <time>', 'the newest that is not younger, such as 2026-11-24T03:00:00Z', moment)
    .option('--force', 'replace what is at the target')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nAn environment gets its name only when every page of it was checked. Stop who uses the target before --force.\n\nExample:\n  bucketwright backup restore projection ./restored --at 2026-11-24T03:00:00Z',
    )
    .action((source: string, target: string, options: Options) =>
      withRepository(command, context, async (repository) => {
        const store = repository.source(source);
        const snapshot = await findSnapshot(store, options);
        const signals = interruption(() => undefined);
        try {
          const signal = signals.stop;
          const force = options.force === true;
          const restored = await restore({ store, snapshot, target: resolve(target), force, signal });
          if (options.json === true) {
            context.out.write(`${JSON.stringify({ snapshot: snapshotFacts(snapshot), ...restored }, null, 2)}\n`);
            return;
          }
          const { bytes, milliseconds, path } = restored;
          context.out.write(
            `restored  ${source} ${snapshot.id} of ${isoTime(snapshot.time)} to ${path}: ${formatBytes(bytes)} in ${formatDuration(milliseconds)}\n`,
          );
        } finally {
          signals.release();
        }
      }),
    );
};
