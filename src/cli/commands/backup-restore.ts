import { join, resolve } from 'node:path';
import { findSet, type Restored, restore, restoreTable, type Snapshot, type SourceStore } from '../../backup/index.ts';
import { formatDuration } from '../../core/durations.ts';
import { formatBytes } from '../../core/sizes.ts';
import { backupCommand, findSnapshot, isoTime, moment, snapshotFacts, sourceName, withRepository } from '../backup.ts';
import { type CliContext, type Register, withSettings } from '../context.ts';
import { interruption } from '../interruption.ts';

interface Options {
  readonly snapshot?: string;
  readonly at?: number;
  readonly set?: boolean;
  readonly table?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export const backupRestore: Register = (program, context) => {
  const command = backupCommand(program, 'restore');
  withSettings(command)
    .description(
      'Restore a snapshot to a new place: the newest, one by its id, or as it was at a time. Interrupted, run again, it goes on.',
    )
    .argument('<source>', 'its name in the repository', sourceName)
    .argument('<target>', 'where to; must not exist yet')
    .option('--snapshot <id>', 'the first letters of its id')
    .option('--at <time>', 'the newest that is not younger, such as 2026-11-24T03:00:00Z', moment)
    .option('--set', 'the name is that of a set: restore its sources, of one moment, each below the target')
    .option('--table <name>', 'only this named table of an environment, as text for mdbx_load; the target is a file')
    .option('--force', 'replace what is at the target')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nAn environment gets its name only when every page of it was checked. Stop who uses the target before --force.\n\nExample:\n  bucketwright backup restore projection ./restored --at 2026-11-24T03:00:00Z',
    )
    .action((source: string, target: string, options: Options) =>
      withRepository(command, context, async (repository) => {
        const snapshots =
          options.set === true
            ? await findSet(repository, source, options.at)
            : [await findSnapshot(repository.source(source), options)];
        const signals = interruption(() => undefined);
        const [first] = snapshots;
        if (options.table !== undefined && first !== undefined) {
          return await table(repository.source(first.source), first, options.table, target, options, context).finally(
            () => signals.release(),
          );
        }
        const told: object[] = [];
        try {
          for (const snapshot of snapshots) {
            const place = options.set === true ? join(target, snapshot.source) : target;
            const restored = await restore({
              store: repository.source(snapshot.source),
              snapshot,
              target: resolve(place),
              force: options.force === true,
              signal: signals.stop,
            });
            told.push({ snapshot: snapshotFacts(snapshot), ...restored });
            if (options.json !== true) context.out.write(`${line(snapshot, restored)}\n`);
          }
        } finally {
          signals.release();
        }
        const [only] = told;
        if (options.json === true) {
          context.out.write(`${JSON.stringify(options.set === true ? told : only, null, 2)}\n`);
        }
      }),
    );
};

async function table(
  store: SourceStore,
  snapshot: Snapshot,
  name: string,
  target: string,
  { force, json }: Options,
  context: CliContext,
): Promise<void> {
  const path = resolve(target);
  const bytes = await restoreTable({ store, snapshot, table: name, target: path, force: force === true });
  if (json === true) {
    context.out.write(`${JSON.stringify({ snapshot: snapshotFacts(snapshot), table: name, path, bytes }, null, 2)}\n`);
  } else context.out.write(`dumped  ${name} of ${snapshot.source} ${snapshot.id} to ${path}: ${formatBytes(bytes)}\n`);
}

const line = ({ source, id, time }: Snapshot, { bytes, milliseconds, path }: Restored): string =>
  `restored  ${source} ${id} of ${isoTime(time)} to ${path}: ${formatBytes(bytes)} in ${formatDuration(milliseconds)}`;
