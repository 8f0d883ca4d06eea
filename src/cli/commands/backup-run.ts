import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { backUp, type Method, runHook, type Snapshot, type Source, type SourceStore } from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { formatDuration, MINUTE } from '../../core/durations.ts';
import { formatBytes } from '../../core/sizes.ts';
import { backupCommand, duration, snapshotFacts, sourceName, withRepository } from '../backup.ts';
import { type CliContext, type Register, withSettings } from '../context.ts';
import { interruption } from '../interruption.ts';
import { formatError } from '../output.ts';

interface Options {
  readonly directory?: boolean;
  readonly method: Method;
  readonly scratch: string;
  readonly full?: boolean;
  readonly before?: string;
  readonly after?: string;
  readonly hookLimit: number;
  readonly every?: number;
  readonly json?: boolean;
}

export const backupRun: Register = (program, context) => {
  const command = backupCommand(program, 'run');
  withSettings(command)
    .description('Store a snapshot of a live MDBX environment, or of a directory: what changed since the last one.')
    .argument('<source>', 'a name for it in the repository', sourceName)
    .argument('<path>', "the environment's directory or data file, or the directory")
    .option('--directory', 'it is a plain directory, not an MDBX environment')
    .addOption(
      new Option('--method <name>', 'how to copy the environment')
        .choices(['auto', 'reader', 'mdbx_copy', 'offline'])
        .default('auto'),
    )
    .option('--scratch <directory>', 'where the copy goes until it is stored', tmpdir())
    .option('--full', 'store all of it, even where an increment would do')
    .option('--before <command>', 'run before it, by the shell; a failure stores nothing')
    .option('--after <command>', 'run after it, whatever happened')
    .option('--hook-limit <duration>', 'time for each hook', duration, 5 * MINUTE)
    .option('--every <duration>', 'go on, one snapshot in each such time, until interrupted', duration)
    .option('--json', 'print JSON, one line a snapshot')
    .addHelpText(
      'after',
      `
Methods: auto takes mdbx_copy for a whole snapshot where it is installed, and our own reader else and for increments.
The reader takes no lock and stops nobody; a snapshot is stored only when it is proven to be one transaction.

Exit codes: 0 stored, 1 not stored, 69 unreachable, 77 denied or wrong passphrase, 78 configuration.

Examples:
  bucketwright backup run projection /var/lib/projection
  bucketwright backup run projection /var/lib/projection --every 10s
  bucketwright backup run bundles /srv/bundles --directory --before 'systemctl stop runner' --after 'systemctl start runner'`,
    )
    .action(async (name: string, path: string, options: Options) => {
      const source: Source = { kind: options.directory === true ? 'directory' : 'mdbx', path: resolve(path) };
      await withRepository(command, context, (repository) => run(repository.source(name), source, options, context));
    });
};

async function run(store: SourceStore, source: Source, options: Options, context: CliContext): Promise<void> {
  const signals = interruption((text) => context.err.write(`${text}\n`));
  try {
    if (options.every === undefined) return report(await once(store, source, options, signals.abort), options, context);
    let failures = 0;
    while (!signals.stop.aborted) {
      const began = Date.now();
      try {
        report(await once(store, source, options, signals.abort), options, context);
        failures = 0;
      } catch (error) {
        if (signals.abort.aborted) throw error;
        // The next one stores what this one could not: nothing is lost but time.
        failures += 1;
        context.err.write(`${formatError(error)}\n`);
      }
      const pause = Math.min(options.every * 2 ** Math.min(failures, 6), Math.max(options.every, 5 * MINUTE));
      const rest = pause * (0.95 + Math.random() * 0.1) - (Date.now() - began);
      await sleep(Math.max(0, rest), undefined, { signal: signals.stop }).catch(() => undefined);
    }
  } finally {
    signals.release();
  }
}

async function once(
  store: SourceStore,
  source: Source,
  { before, after, hookLimit, method, scratch, full }: Options,
  signal: AbortSignal,
): Promise<Snapshot> {
  try {
    if (before !== undefined) await runHook('before', before, hookLimit);
    return await backUp({
      store,
      source,
      scratch: resolve(scratch),
      method,
      mdbxCopy: installed('mdbx_copy'),
      full: full === true,
      clock: systemClock,
      signal,
    });
  } finally {
    if (after !== undefined) await runHook('after', after, hookLimit);
  }

  /** On the PATH of this process. */
  function installed(program: string): string | undefined {
    const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
    return folders
      .map((folder) => join(folder, program))
      .find((file) => {
        try {
          accessSync(file, constants.X_OK);
          return true;
        } catch {
          return false;
        }
      });
  }
}

function report(snapshot: Snapshot, { json }: Options, context: CliContext): void {
  if (json === true) {
    context.out.write(`${JSON.stringify(snapshotFacts(snapshot))}\n`);
    return;
  }
  const { content, added, read, took, method } = snapshot;
  const what =
    content.kind === 'mdbx'
      ? `transaction ${content.txnid}, ${content.layers.length === 1 ? 'whole' : `increment ${content.layers.length - 1}`}`
      : 'directory';
  context.out.write(
    `stored  ${snapshot.source} ${snapshot.id}  ${what}  by ${method}: read ${formatBytes(read)}, ${formatBytes(added.raw)} new, ${formatBytes(added.stored)} stored, in ${formatDuration(took)}\n`,
  );
}
