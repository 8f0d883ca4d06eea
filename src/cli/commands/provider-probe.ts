import { UsageError } from '../../core/errors.ts';
import type { ProbeRow } from '../../probe/index.ts';
import { resolveConnection } from '../../providers/index.ts';
import { type CliContext, loadSettings, noun, type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';
import { formatRows } from '../rows.ts';
import { provider } from './provider-list.ts';

export const providerProbe: Register = (program, context) => {
  const command = noun(program, 'provider', provider).command('probe');
  withSettings(command)
    .description('Measure what the endpoint can do, feature by feature, in scratch buckets that are removed again.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nIt makes buckets named bucketwright-probe-…, and touches nothing else. A condition on writes is believed only where\nthe profile lists it: the probe can take it away, never add it.\n\nExit codes: 0 as the profile says or more, 2 less than it says, or a bucket was left behind.\n\nExample:\n  set -a; . data/s3.env; set +a; bucketwright provider probe',
    )
    .action(async ({ json }: { json?: boolean }) => {
      const { storage } = loadSettings(command, context);
      if (storage.kind === 'filesystem') {
        throw new UsageError('there is no endpoint to probe: S3_ENDPOINT is not set', {
          subject: 'S3_ENDPOINT',
          advice: 'set it and the keys, or start one by `bucketwright serve`',
        });
      }
      const connection = resolveConnection(storage);
      const { compare, probe } = await import('../../probe/index.ts');
      const stop = new AbortController();
      const interrupt = () => {
        context.err.write('\nfinishing this feature and removing the scratch buckets\n');
        stop.abort();
      };
      process.once('SIGINT', interrupt);
      try {
        const { measurements, left } = await probe(connection, {
          signal: stop.signal,
          onMeasured: ({ feature }) => context.err.isTTY === true && context.err.write(`\r\u001b[2K${feature}`),
        });
        if (context.err.isTTY === true) context.err.write('\r\u001b[2K');
        const rows = measurements.map((measurement) => compare(measurement, connection.provider));
        const refuted = rows.filter(({ comparison }) => comparison === 'refuted');
        if (json === true) {
          const answer = {
            endpoint: connection.endpoint.url,
            provider: connection.provider.name,
            features: rows,
            left,
          };
          context.out.write(`${JSON.stringify(answer, null, 2)}\n`);
        } else {
          context.out.write(`${connection.endpoint.url}, beside the profile ${connection.provider.name}\n\n`);
          context.out.write(table(rows, context.colors));
          context.err.write(`\n${summary(rows)}\n`);
          if (refuted.length > 0) context.err.write(`${ADVICE}\n`);
        }
        for (const { bucket, reason } of left) {
          context.err.write(`bucket ${bucket} is left behind: ${reason}; delete it by hand\n`);
        }
        if (stop.signal.aborted) context.exit(exitCode.failed);
        else if (refuted.length > 0 || left.length > 0) context.exit(exitCode.findings);
      } finally {
        process.removeListener('SIGINT', interrupt);
      }
    });
};

/** A refutation is for the operator: nothing is remembered between runs, and the profile stays what the settings name. */
const ADVICE =
  '→ this endpoint does less than its profile promises: name one that fits by S3_PROVIDER; generic relies on no condition and no feature';

const words = { yes: 'yes', no: 'no', partial: 'partial', unknown: '?' } as const;

function table(rows: readonly ProbeRow[], colors: CliContext['colors']): string {
  const lines = rows.map(({ feature, profile, state, comparison, found }) => [
    feature,
    words[profile],
    words[state],
    remark(comparison),
    found,
  ]);
  const [head = '', ...body] = formatRows([['feature', 'profile', 'measured', '', 'found'], ...lines]).split('\n');
  const painted = body.map((line, index) => (rows[index]?.comparison === 'refuted' ? colors.red(line) : line));
  return [colors.bold(head), ...painted].join('\n');
}

function remark(comparison: ProbeRow['comparison']): string {
  switch (comparison) {
    case 'refuted':
      return 'LESS';
    case 'more':
      return 'more';
    case 'new':
      return 'new';
    case 'agrees':
    case 'not-measured':
      return '';
  }
}

function summary(rows: readonly ProbeRow[]): string {
  const count = (comparison: ProbeRow['comparison']) => rows.filter((row) => row.comparison === comparison).length;
  const parts = [
    `${count('agrees')} as the profile says`,
    ...(count('refuted') > 0 ? [`${count('refuted')} less`] : []),
    ...(count('more') > 0 ? [`${count('more')} more`] : []),
    ...(count('new') > 0 ? [`${count('new')} that it did not know`] : []),
    ...(count('not-measured') > 0 ? [`${count('not-measured')} not measured`] : []),
  ];
  return `${rows.length} features: ${parts.join(', ')}`;
}
