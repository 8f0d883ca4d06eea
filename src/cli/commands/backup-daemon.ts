import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import {
  createBackupMetrics,
  type DaemonOptions,
  parseDaemonPlan,
  runDaemon,
  runSetsOnce,
  serveMetrics,
} from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { backupCommand, installed, isoTime, reportStored, withRepository } from '../backup.ts';
import { type CliContext, type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';
import { interruption } from '../interruption.ts';
import { formatError } from '../output.ts';

export const backupDaemon: Register = (program, context) => {
  const command = backupCommand(program, 'daemon');
  withSettings(command)
    .description('Make the backups of a file, again and again: sets of sources, pruning, verifying and drills.')
    .argument('<file>', 'what to do: YAML, see docs/how-to/backup.md')
    .option('--once', 'run each set once and end: for cron')
    .option('--json', 'print JSON, one line a snapshot')
    .addHelpText(
      'after',
      '\nIt retries what fails, and stands by while another daemon is at work on the same sources. SIGTERM lets what is under\nway end.\n\nExit codes: 0 ended; with --once 1 when a set failed; 78 the file is wrong.\n\nExample:\n  bucketwright backup daemon ./backup.yaml',
    )
    .action(async (file: string, { once, json }: { once?: boolean; json?: boolean }) => {
      const plan = parseDaemonPlan(await readPlan(file), file);
      await withRepository(command, context, async (repository) => {
        const signals = interruption((text) => context.err.write(`${text}\n`));
        const metrics = createBackupMetrics();
        const options: DaemonOptions = {
          repository,
          plan,
          scratch: resolve(plan.scratch ?? tmpdir()),
          mdbxCopy: installed('mdbx_copy'),
          clock: systemClock,
          metrics,
          events: {
            stored: (snapshot) => reportStored(snapshot, json === true, context),
            said: (text) => say(text, context),
            failed: (subject, error) => say(`${subject}: ${formatError(error)}`, context),
          },
          stop: signals.stop,
          abort: signals.abort,
        };
        try {
          if (once === true) {
            if ((await runSetsOnce(options)) > 0) context.exit(exitCode.failed);
            return;
          }
          if (plan.listen === undefined) return await runDaemon(options);
          const at = plan.listen.lastIndexOf(':');
          const [host, port] = [plan.listen.slice(0, at), Number(plan.listen.slice(at + 1))];
          await using endpoint = await serveMetrics(metrics, host, port);
          say(`metrics on http://${host}:${endpoint.port}/metrics`, context);
          await runDaemon(options);
        } finally {
          signals.release();
        }
      });
    });
};

const say = (text: string, context: CliContext) => void context.err.write(`${isoTime(systemClock.now())}  ${text}\n`);

async function readPlan(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${systemErrorCode(error) ?? 'unknown'})`, {
      subject: file,
      advice: 'name the file that says what to back up',
      cause: error,
    });
  }
}
