import { readFile, stat } from 'node:fs/promises';
import { Option } from 'commander';
import { systemErrorCode, UsageError } from '../../core/errors.ts';
import { writeFileDurably } from '../../fs/durable.ts';
import { planLokiMigration, planTempoMigration, unifiedDiff } from '../../observability/migrate/index.ts';
import { stackModel } from '../../stack/index.ts';
import { loadSettings, noun, type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';

interface Options {
  readonly to: 's3' | 'filesystem';
  readonly loki?: string;
  readonly tempo?: string;
  readonly from?: string;
  readonly apply?: boolean;
  readonly json?: boolean;
}

export const observabilityMigrate: Register = (program, context) => {
  const command = noun(program, 'observability', 'Loki and Tempo on S3.').command('migrate');
  withSettings(command)
    .description(
      "Move Loki's new chunks (from a day in the future) or Tempo's blocks to S3, or back to the disk: prints the steps and the exact change of the configuration; writes it with --apply.",
    )
    .addOption(new Option('--to <store>', 'where new chunks go').choices(['s3', 'filesystem']).makeOptionMandatory())
    .option('--loki <file>', "Loki's configuration")
    .option('--tempo <file>', "Tempo's configuration; with --apply it is written after you copied the blocks")
    .option('--from <day>', 'the first UTC day in the new store, YYYY-MM-DD', undefined)
    .option('--apply', 'write the file')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nNothing that is stored is rewritten: both stores stay configured, and every day stays in queries. The same command\nin the other direction rolls back. --from defaults to the day after tomorrow.\n\nExit codes: 0 nothing to do or applied, 2 there is a change to apply, 64 usage, 78 configuration.\n\nExample:\n  bucketwright observability migrate --to s3 --loki /etc/loki/config.yml',
    )
    .action(async ({ to, loki, tempo, from, apply, json }: Options) => {
      const subject = loki ?? tempo;
      if (subject === undefined || (loki !== undefined && tempo !== undefined)) {
        throw new UsageError('one file must be named', {
          subject: '--loki',
          advice: 'name one: --loki FILE or --tempo FILE',
        });
      }
      if (loki === undefined && from !== undefined) {
        throw new UsageError('--from is for Loki', { subject: '--from', advice: 'Tempo switches when it is started' });
      }
      const model = stackModel(loadSettings(command, context));
      const text = await read(subject);
      const migration =
        loki === undefined
          ? { ...planTempoMigration({ subject, text, to, model }), from: undefined }
          : planLokiMigration({ subject, text, to, from, model, now: Date.now() });
      const diff = unifiedDiff(subject, text, migration.text);
      const applied = apply === true && diff !== '';
      if (applied) await writeFileDurably(subject, migration.text, (await stat(subject)).mode & 0o777);
      if (json === true) {
        const { kind, from: day, steps } = migration;
        const program = loki === undefined ? 'tempo' : 'loki';
        context.out.write(`${JSON.stringify({ program, kind, from: day, steps, diff, applied }, null, 2)}\n`);
      } else {
        for (const [index, step] of migration.steps.entries()) context.out.write(`${index + 1}. ${step}\n`);
        if (diff !== '') context.out.write(`\n${diff}`);
        if (diff !== '') context.err.write(applied ? `written  ${subject}\n` : 'nothing was written: --apply does\n');
      }
      if (diff !== '' && !applied) context.exit(exitCode.findings);
    });
};

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`${path} cannot be read (${systemErrorCode(cause) ?? 'unknown'})`, { subject: path, cause });
  }
}
