import { readFile, stat } from 'node:fs/promises';
import { Option } from 'commander';
import { BucketwrightError, systemErrorCode, UsageError } from '../../core/errors.ts';
import { writeFileDurably } from '../../fs/durable.ts';
import {
  type LokiMigration,
  planLokiMigration,
  planTempoMigration,
  type TempoMigration,
  unifiedDiff,
  withoutSecrets,
} from '../../observability/migrate/index.ts';
import { stackModel } from '../../stack/index.ts';
import { type CliContext, loadSettings, noun, type Register, settingsInput, withSettings } from '../context.ts';
import { exitCode, exitCodeFor } from '../exit.ts';
import { type BlocksMove, type BlocksOutcome, blocksOf } from '../tempo-blocks.ts';
import { reportText } from '../transfer-report.ts';

interface Options {
  readonly to: 's3' | 'filesystem';
  readonly loki?: string;
  readonly tempo?: string;
  readonly from?: string;
  readonly blocks?: string;
  readonly endpointHere?: string;
  /** False: `--no-copy`. */
  readonly copy: boolean;
  readonly prune?: boolean;
  readonly tempoUrl: string;
  readonly apply?: boolean;
  readonly json?: boolean;
}

export const observabilityMigrate: Register = (program, context) => {
  const command = noun(program, 'observability', 'Loki and Tempo on S3.').command('migrate');
  withSettings(command)
    .description(
      "Move Loki's new chunks (from a day in the future) or Tempo's blocks to S3, or back to the disk: prints the steps and the exact change of the configuration. --apply copies the blocks and writes the file.",
    )
    .addOption(new Option('--to <store>', 'where new data goes').choices(['s3', 'filesystem']).makeOptionMandatory())
    .option('--loki <file>', "Loki's configuration")
    .option('--tempo <file>', "Tempo's configuration")
    .option('--from <day>', 'Loki: the first UTC day in the new store, YYYY-MM-DD', undefined)
    .option('--blocks <directory>', "Tempo: its directory of blocks, as it is called here (default: the file's)")
    .option('--endpoint-here <url>', 'Tempo: the S3 API as it is called from here, where Tempo calls it otherwise')
    .option('--no-copy', 'Tempo: write the file alone; the blocks are copied by other means')
    .option('--prune', 'Tempo: remove blocks that only the destination has')
    .addOption(
      new Option('--tempo-url <url>', 'where a Tempo that still runs would answer').default('http://127.0.0.1:3200'),
    )
    .option('--apply', 'do it: copy and read back the blocks, write the file (the one before is kept as FILE.before)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Loki: nothing that is stored is rewritten; both stores stay configured, and every day stays in queries. --from defaults
to the day after tomorrow. Tempo: its blocks are copied, each meta.json last, and read back, then the backend is switched.
Run while Tempo is running, --apply copies and writes nothing: stop Tempo and run it again for the rest.
The same command in the other direction rolls back.

Exit codes: 0 nothing to do or applied, 1 not all blocks are there, 2 there is a change to apply, 64 usage,
69 unreachable, 77 denied, 78 configuration.

Examples:
  bucketwright observability migrate --to s3 --loki /etc/loki/config.yml
  bucketwright observability migrate --to s3 --tempo /etc/tempo/config.yml --blocks /srv/tempo/blocks --apply`,
    )
    .action(async (options: Options) => {
      const { subject, program: kind } = fileOf(options);
      const settings = loadSettings(command, context);
      const model = stackModel(settings);
      const text = await read(subject);
      const previous = await readIfThere(beforeName(subject));
      const { to } = options;
      if (kind === 'loki') {
        const from = options.from;
        const now = Date.now();
        const migration = planLokiMigration({ subject, text, to, from, model, now, previous });
        await finish({ kind, subject, text, migration, options }, context);
        return;
      }
      const migration = planTempoMigration({ subject, text, to, model, previous });
      const copies = migration.kind === 'switch' && options.copy;
      const move: BlocksMove = {
        to,
        directory: options.blocks ?? migration.directory,
        target: model.tempo,
        prune: options.prune === true,
        settings: () => {
          const input = settingsInput(command, context, 'client');
          const here = options.endpointHere;
          return here === undefined
            ? input
            : { ...input, flags: new Map([...(input.flags ?? []), ['endpoint', here]]) };
        },
      };
      // Without S3 settings there is a plan of the file alone to look at.
      const copying = copies && (options.apply === true || settings.storage.kind === 's3') ? move : undefined;
      await finish({ kind, subject, text, migration, options, move: copying }, context);
    });
};

interface Work {
  readonly kind: 'loki' | 'tempo';
  readonly subject: string;
  readonly text: string;
  readonly migration: LokiMigration | TempoMigration;
  readonly options: Options;
  readonly move?: BlocksMove | undefined;
}

/** Prints the plan; with `--apply` copies, then writes: a file is never switched to blocks that are not there. */
async function finish({ kind, subject, text, migration, options, move }: Work, context: CliContext): Promise<void> {
  const { json, tempoUrl } = options;
  const apply = options.apply === true;
  const diff = withoutSecrets(unifiedDiff(subject, text, migration.text));
  if (json !== true) {
    for (const [index, step] of migration.steps.entries()) context.out.write(`${index + 1}. ${step}\n`);
    if (diff !== '') context.out.write(`\n${diff}`);
  }
  const running = apply && move !== undefined && (await answers(tempoUrl));
  const blocks = move === undefined ? undefined : await compared(move, apply, context);
  const copied = blocks?.report === undefined || blocks.report.complete;
  const applied = apply && diff !== '' && copied && !running;
  if (applied) await replace(subject, text, migration.text);
  if (json === true) {
    const { steps, kind: change } = migration;
    const from = 'from' in migration ? migration.from : undefined;
    const document = {
      program: kind,
      kind: change,
      from,
      steps,
      diff,
      applied,
      running,
      blocks: blocksDocument(blocks),
    };
    context.out.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    if (blocks !== undefined) context.out.write(`\n${blocksText(blocks)}`);
    if (diff !== '') context.err.write(`${outcome({ subject, tempoUrl, apply, applied, running })}\n`);
  }
  if (!copied) {
    const nothing = blocks?.report?.copied.objects === 0 && blocks.error !== undefined;
    context.exit(nothing ? exitCodeFor(blocks.error) : exitCode.failed);
  } else if (diff !== '' && !applied) context.exit(exitCode.findings);
}

/** A plan is printed even where the blocks cannot be seen from here, such as on another machine. */
async function compared(move: BlocksMove, apply: boolean, context: CliContext): Promise<BlocksOutcome | undefined> {
  try {
    return await blocksOf(move, apply, context);
  } catch (error) {
    if (apply || !(error instanceof BucketwrightError)) throw error;
    context.err.write(`blocks were not compared: ${error.message}; ${error.advice ?? ''}\n`);
    return undefined;
  }
}

function outcome(state: {
  readonly subject: string;
  readonly tempoUrl: string;
  readonly apply: boolean;
  readonly applied: boolean;
  readonly running: boolean;
}): string {
  const { subject, tempoUrl, apply, applied, running } = state;
  if (applied) return `written  ${subject} (the one before: ${beforeName(subject)})`;
  if (!apply) return 'nothing was written: --apply does';
  if (running) {
    return `${subject} was not changed: a Tempo still answers at ${tempoUrl}. Stop it and run this again: only what is new is copied`;
  }
  return `${subject} was not changed: not all blocks are there; run it again to go on`;
}

function blocksText({ plan, report }: BlocksOutcome): string {
  const { blocks, open, others, remove } = plan;
  const lines = [
    `blocks    ${blocks} at the source; ${open === 0 ? 'all objects of them are there already' : `${open} of their objects to copy or compare`}`,
    ...(remove.length > 0
      ? [`remove    ${remove.length} objects at the destination that would be wrong beside them`]
      : []),
    ...(others.length > 0
      ? [
          `others    ${others.length} blocks are only at the destination: traces of their own, or an older copy's that have been compacted or expired since and would be found twice; --prune removes them`,
        ]
      : []),
  ];
  return `${lines.join('\n')}\n${report === undefined ? '' : reportText(report, true)}`;
}

function blocksDocument(blocks: BlocksOutcome | undefined) {
  if (blocks === undefined) return undefined;
  const { plan, report } = blocks;
  return { source: plan.blocks, open: plan.open, others: plan.others, remove: plan.remove, report };
}

function fileOf({ loki, tempo, from, blocks, copy, prune }: Options): {
  readonly subject: string;
  readonly program: 'loki' | 'tempo';
} {
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
  if (loki !== undefined && (blocks !== undefined || !copy || prune === true)) {
    throw new UsageError('--blocks, --no-copy and --prune are for Tempo', {
      subject: '--loki',
      advice: "Loki's chunks stay where they are: both stores stay configured",
    });
  }
  return { subject, program: loki === undefined ? 'tempo' : 'loki' };
}

/** Whether something answers there at all; any answer means that Tempo is not stopped. */
async function answers(url: string): Promise<boolean> {
  if (!URL.canParse(url)) {
    throw new UsageError(`--tempo-url ${url} is no address`, {
      subject: '--tempo-url',
      advice: 'such as http://127.0.0.1:3200',
    });
  }
  return fetch(new URL('ready', `${url.replace(/\/+$/, '')}/`), { signal: AbortSignal.timeout(5_000) }).then(
    () => true,
    () => false,
  );
}

/** Where the text is kept that a migration replaced. */
const beforeName = (subject: string): string => `${subject}.before`;

async function replace(subject: string, before: string, text: string): Promise<void> {
  const mode = (await stat(subject)).mode & 0o777;
  await writeFileDurably(beforeName(subject), before, mode);
  await writeFileDurably(subject, text, mode);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`${path} cannot be read (${systemErrorCode(cause) ?? 'unknown'})`, { subject: path, cause });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
