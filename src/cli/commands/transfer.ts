import { InvalidArgumentError } from 'commander';
import { UsageError } from '../../core/errors.ts';
import { formatBytes } from '../../core/sizes.ts';
import {
  emptyReport,
  Journal,
  overlap,
  type Place,
  type Plan,
  parseLocation,
  planTransfer,
  type RunOptions,
  refuse,
  runTransfer,
  verifyTransfer,
} from '../../transfer/index.ts';
import { type CliContext, type Register, settingsInput, withSettings } from '../context.ts';
import { exitCode, exitCodeFor } from '../exit.ts';
import { interruption } from '../interruption.ts';
import { progressOn } from '../progress.ts';
import { placeOf } from '../transfer-place.ts';
import { plannedBytes, printable, problemLine, reportText } from '../transfer-report.ts';
import { statePath } from '../transfer-state.ts';

interface Options {
  readonly sourceEndpoint?: string;
  readonly destinationEndpoint?: string;
  readonly concurrency: number;
  readonly state?: string;
  readonly last?: readonly string[];
  readonly dryRun?: boolean;
  readonly verify?: boolean;
  readonly verifyOnly?: boolean;
  readonly delete?: boolean;
  readonly json?: boolean;
}

export const transfer: Register = (program, context) => {
  const command = program.command('transfer <source> <destination>');
  withSettings(command)
    .description(
      'Copy objects between buckets and directories: in parallel, with checksums from end to end, and again where it stopped.',
    )
    .option('--source-endpoint <url>', 'the S3 API of the source; its keys: SOURCE_S3_ACCESS_KEY_ID …')
    .option('--destination-endpoint <url>', 'the S3 API of the destination; its keys: DESTINATION_S3_ACCESS_KEY_ID …')
    .option('--concurrency <n>', 'objects at once, 1 to 256', concurrency, 8)
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--verify', 'read everything back afterwards and compare it')
    .option('--verify-only', 'compare both sides by their bytes, and change nothing')
    .option('--last <name...>', 'file names that come after all others, such as meta.json')
    .option('--delete', 'delete what only the destination has, when all else went well')
    .option(
      '--state <file>',
      'where to remember what is done (default: one file a pair below ~/.local/state/bucketwright)',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
A place is a path, s3://BUCKET/PREFIX, or s3+NAME://BUCKET/PREFIX, whose endpoint and keys are NAME_S3_ENDPOINT,
NAME_S3_ACCESS_KEY_ID and NAME_S3_SECRET_ACCESS_KEY (or their _FILE). A prefix is a folder; what it holds is copied.

Exit codes: 0 all of it is there, 1 something is not (the report says what), 2 --dry-run: there is something to do, --verify-only: differences,
64 usage, 69 unreachable, 77 denied, 78 configuration. Run it again to go on where it stopped.

Examples:
  bucketwright transfer s3://acme-loki ./loki-backup
  bucketwright transfer s3+OLD://acme-loki s3://acme-loki --verify
  bucketwright transfer /var/tempo/blocks s3://acme-tempo --last meta.json --dry-run`,
    )
    .action(async (from: string, to: string, options: Options) => {
      if (options.verifyOnly === true && (options.delete === true || options.dryRun === true)) {
        throw new UsageError('--verify-only changes nothing: it goes with neither --delete nor --dry-run');
      }
      const locations = [parseLocation(from), parseLocation(to)] as const;
      const common = {
        settings: () => settingsInput(command, context, 'client' as const),
        environment: context.environment,
        sockets: options.concurrency * 4,
      };
      const source = placeOf(locations[0], { ...common, role: 'source', endpoint: options.sourceEndpoint });
      const destination = placeOf(locations[1], {
        ...common,
        role: 'destination',
        endpoint: options.destinationEndpoint,
      });
      try {
        if (overlap(...locations, [source.endpoint, destination.endpoint])) {
          throw new UsageError(`${from} and ${to} lie within each other`, {
            advice: 'transfer between distinct places',
          });
        }
        await execute(source.place, destination.place, options, context);
      } finally {
        await source.place.close();
        await destination.place.close();
      }
    });
};

async function execute(source: Place, destination: Place, options: Options, context: CliContext): Promise<void> {
  const progress = progressOn(context.err);
  await source.check('source');
  await destination.check('destination');
  const writes = options.dryRun !== true && options.verifyOnly !== true;
  const journal = writes
    ? await Journal.open(options.state ?? statePath(source, destination, context), source.name, destination.name)
    : undefined;
  const signals = interruption(progress.line);
  try {
    progress.line(`listing ${source.name} and ${destination.name}`);
    const plan = await planTransfer(source.list(signals.abort), destination.list(signals.abort), {
      refusal: destination.refusals(),
      settled: (object, there) => journal?.settled(object, there) ?? false,
    });
    if (options.dryRun === true) return dryRun(plan, source, destination, options, context);
    const run: RunOptions = {
      source,
      destination,
      journal,
      concurrency: options.concurrency,
      verify: options.verify,
      delete: options.delete,
      last: (key) => options.last?.includes(key.slice(key.lastIndexOf('/') + 1)) ?? false,
      stop: signals.stop,
      abort: signals.abort,
      onProgress: (bytes, phase) => {
        if (phase !== showing) {
          showing = phase;
          progress.begin('verifying', all);
        }
        progress.add(bytes);
      },
      onProblem: (problem) => progress.line(problemLine(problem)),
    };
    const all = plannedBytes(plan, () => true);
    let showing: 'copy' | 'verify' = 'copy';
    if (writes)
      progress.begin(
        'copying',
        plannedBytes(plan, ({ kind }) => kind !== 'skip'),
      );
    const { report, error } = await (writes ? runTransfer(plan, run) : verifyTransfer(plan, run));
    progress.end();
    if (options.json === true) context.out.write(`${JSON.stringify(report, null, 2)}\n`);
    else context.out.write(reportText(report, options.delete === true));
    if (report.complete) return;
    if (!writes && error === undefined) context.exit(exitCode.findings);
    else context.exit(report.copied.objects === 0 && error !== undefined ? exitCodeFor(error) : exitCode.failed);
  } finally {
    progress.end();
    signals.release();
    await journal?.close();
  }
}

/** Why an object is to be copied or compared, in a plan for people. */
const reasons: Readonly<Record<Plan['actions'][number]['why'], string>> = {
  missing: 'not there yet',
  size: 'another size',
  content: 'other content',
  unknown: 'the same size; only its bytes tell',
  'same-etag': 'equal',
  'copied-before': 'copied before',
};

function dryRun(plan: Plan, source: Place, destination: Place, options: Options, context: CliContext): void {
  const report = emptyReport(source.name, destination.name, 'dry-run', plan.extra);
  const actions = plan.actions.map(({ kind, why, object }) => ({
    action: kind,
    why,
    key: object.key,
    bytes: object.size,
  }));
  if (options.json === true) {
    const { oddities, refusals } = plan;
    context.out.write(`${JSON.stringify({ ...report, actions, oddities, refusals }, null, 2)}\n`);
  } else {
    for (const { action, why, key, bytes } of actions) {
      if (action !== 'skip')
        context.out.write(`${action.padEnd(7)}  ${printable(key)}  ${formatBytes(bytes)} (${reasons[why]})\n`);
    }
    for (const { key, reason } of plan.oddities) context.out.write(`refuse   ${printable(key)}: ${reason}\n`);
    if (options.delete === true) for (const key of plan.extra) context.out.write(`delete   ${printable(key)}\n`);
    const count = (kind: string) => plan.actions.filter((action) => action.kind === kind).length;
    const copied = formatBytes(plannedBytes(plan, ({ kind }) => kind === 'copy'));
    context.out.write(
      `to copy: ${count('copy')} (${copied}); to compare by content: ${count('compare')}; equal already: ${count('skip')}; only at the destination: ${plan.extra.length}\n`,
    );
  }
  refuse(plan);
  const nothing = plan.actions.every(({ kind }) => kind === 'skip') && plan.oddities.length === 0;
  if (!nothing || (options.delete === true && plan.extra.length > 0)) context.exit(exitCode.findings);
}

function concurrency(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 256) throw new InvalidArgumentError('must be 1 to 256.');
  return value;
}
