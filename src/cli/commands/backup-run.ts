import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { Option } from 'commander';
import {
  backUp,
  createBackupMetrics,
  type DaemonPlan,
  extendLocks,
  type Hooks,
  type Method,
  openSource,
  type Repository,
  runDaemon,
  takeLease,
} from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { MINUTE } from '../../core/durations.ts';
import { backupCommand, duration, installed, reportStored, sourceName, withRepository } from '../backup.ts';
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
        .choices(['auto', 'reader', 'mdbx_copy', 'reflink', 'offline'])
        .default('auto'),
    )
    .option('--scratch <directory>', 'where a copy goes until it is stored', tmpdir())
    .option('--full', 'store all of it, even where an increment would do')
    .option('--before <command>', 'run before it, by the shell; a failure stores nothing')
    .option('--after <command>', 'run after it, whatever happened')
    .option('--hook-limit <duration>', 'time for each hook', duration, 5 * MINUTE)
    .option('--every <duration>', 'go on, one snapshot in each such time, until interrupted', duration)
    .option('--json', 'print JSON, one line a snapshot')
    .addHelpText(
      'after',
      `
Methods: auto takes the best that is there; the output says which. The reader takes no lock and stops nobody; a snapshot
is stored only when it is proven to be one transaction.

Exit codes: 0 stored, 1 not stored, 69 unreachable, 77 denied or wrong passphrase, 78 configuration.

Examples:
  bucketwright backup run projection /var/lib/projection
  bucketwright backup run projection /var/lib/projection --every 10s
  bucketwright backup run bundles /srv/bundles --directory --before 'systemctl stop runner' --after 'systemctl start runner'`,
    )
    .action(async (name: string, path: string, options: Options) => {
      await withRepository(command, context, (repository) =>
        options.every === undefined
          ? once(repository, name, resolve(path), options, context)
          : onAndOn(repository, name, resolve(path), options, options.every, context),
      );
    });
};

async function once(
  repository: Repository,
  name: string,
  path: string,
  options: Options,
  context: CliContext,
): Promise<void> {
  const signals = interruption((text) => context.err.write(`${text}\n`));
  const store = repository.source(name);
  const lease = await takeLease(store, { purpose: 'backup run', signal: signals.stop });
  try {
    const kind = options.directory === true ? 'directory' : 'mdbx';
    const { method, before, after, hookLimit, full } = options;
    const hooks: Hooks = { before, after, limit: hookLimit };
    const scratch = resolve(options.scratch);
    const mdbxCopy = installed('mdbx_copy');
    const source = openSource({ kind, path, method, scratch, mdbxCopy, clock: systemClock });
    const members = [{ store, source, path }];
    const snapshots = await backUp({ members, name: undefined, hooks, full: full === true, signal: signals.abort });
    for (const snapshot of snapshots) reportStored(snapshot, options.json === true, context);
    await extendLocks(store, systemClock.now());
  } finally {
    await lease.release();
    signals.release();
  }
}

/** As a daemon that has nothing else to do. */
async function onAndOn(
  repository: Repository,
  name: string,
  path: string,
  { directory, method, scratch, before, after, hookLimit, json }: Options,
  every: number,
  context: CliContext,
): Promise<void> {
  const signals = interruption((text) => context.err.write(`${text}\n`));
  const kind = directory === true ? 'directory' : 'mdbx';
  const plan: DaemonPlan = {
    sets: [{ name, every, before, after, hook_limit: hookLimit, sources: [{ name, path, kind, method }] }],
  };
  try {
    await runDaemon({
      repository,
      plan,
      scratch: resolve(scratch),
      mdbxCopy: installed('mdbx_copy'),
      clock: systemClock,
      metrics: createBackupMetrics(),
      events: {
        stored: (snapshot) => reportStored(snapshot, json === true, context),
        said: (text) => void context.err.write(`${text}\n`),
        failed: (_subject, error) => void context.err.write(`${formatError(error)}\n`),
      },
      stop: signals.stop,
      abort: signals.abort,
    });
  } finally {
    signals.release();
  }
}
