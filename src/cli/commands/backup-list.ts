import { BackupError, type Snapshot, type SnapshotName, type SourceStore } from '../../backup/index.ts';
import { formatBytes } from '../../core/sizes.ts';
import { backupCommand, isoTime, snapshotFacts, sourceName, storesOf, whole, withRepository } from '../backup.ts';
import { type CliContext, type Register, withSettings } from '../context.ts';
import { formatError } from '../output.ts';

export const backupList: Register = (program, context) => {
  const command = backupCommand(program, 'list');
  withSettings(command)
    .description('List the snapshots, newest first, by source.')
    .argument('[source]', 'only of this one', sourceName)
    .option('--limit <n>', 'of each source', whole, 20)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  bucketwright backup list projection --limit 100')
    .action((source: string | undefined, { limit, json }: { limit: number; json?: boolean }) =>
      withRepository(command, context, async (repository) => {
        const all: Snapshot[] = [];
        for (const store of await storesOf(repository, source)) {
          let count = 0;
          for await (const name of store.names()) {
            count += 1;
            // No further: a list of many years is as short as that of a day.
            if (count > limit) break;
            const snapshot = await readOrTell(store, name, context);
            if (snapshot === undefined) continue;
            all.push(snapshot);
            if (json !== true) context.out.write(`${line(snapshot)}\n`);
          }
          if (count > limit) context.err.write(`${store.source}: there are older ones; --limit shows more\n`);
        }
        if (json === true) context.out.write(`${JSON.stringify(all.map(snapshotFacts), null, 2)}\n`);
        else if (all.length === 0) context.err.write('no snapshots\n');
      }),
    );
};

function line({ time, source, id, content, added }: Snapshot): string {
  const what = content.kind === 'mdbx' ? `transaction ${content.txnid}` : 'directory';
  return `${isoTime(time)}  ${source}  ${id}  ${what}  ${formatBytes(added.stored)} added`;
}

/** A damaged one is told of, and the others are listed. */
async function readOrTell(store: SourceStore, name: SnapshotName, context: CliContext): Promise<Snapshot | undefined> {
  try {
    return await store.readSnapshot(name);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    context.err.write(`${formatError(error)}\n`);
    return undefined;
  }
}
