import { Option } from 'commander';
import { parseDuration } from '../../core/durations.ts';
import { UsageError } from '../../core/errors.ts';
import { resolveConnection } from '../../providers/index.ts';
import { loadSettings, noun, type Register, withSettings } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { printFindings, summary } from '../output.ts';

interface Options {
  readonly lokiUrl: string;
  readonly tempoUrl: string;
  readonly otlpUrl: string;
  readonly tenant?: string;
  readonly wait: string;
  readonly json?: boolean;
}

export const observabilityVerify: Register = (program, context) => {
  const command = noun(program, 'observability', 'Loki and Tempo on S3.').command('verify');
  withSettings(command)
    .description(
      'Prove a running Loki and Tempo end to end: push a log line and a trace, find both, see their objects in the bucket, find both again.',
    )
    .addOption(new Option('--loki-url <url>', 'where Loki answers').default('http://127.0.0.1:3100'))
    .addOption(new Option('--tempo-url <url>', 'where Tempo answers').default('http://127.0.0.1:3200'))
    .addOption(
      new Option('--otlp-url <url>', 'where traces are sent, OTLP over HTTP: the collector, or Tempo itself').default(
        'http://127.0.0.1:4318',
      ),
    )
    .option('--tenant <name>', 'the tenant, where both have several')
    .option('--wait <duration>', 'how long new objects may take', '2m')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe line and the trace stay until retention removes them.\n\nExit codes: 0 all steps hold, 2 one failed, 64 usage, 69 S3 unreachable, 78 configuration.\n\nExample:\n  set -a; . data/s3.env; set +a; bucketwright observability verify',
    )
    .action(async (options: Options) => {
      const settings = loadSettings(command, context);
      const wait = parseDuration(options.wait);
      if (wait === undefined) {
        throw new UsageError(`--wait ${options.wait} is no duration`, {
          subject: '--wait',
          advice: 'such as 90s or 2m',
        });
      }
      const input = {
        loki: address('--loki-url', options.lokiUrl),
        tempo: address('--tempo-url', options.tempoUrl),
        otlp: address('--otlp-url', options.otlpUrl),
        tenant: options.tenant,
        connection: settings.storage.kind === 's3' ? resolveConnection(settings.storage) : undefined,
        buckets: settings.buckets,
        wait,
      };
      const { verifyStack } = await import('../../observability/verify/index.ts');
      const findings = await printFindings(verifyStack(input), context, options.json === true);
      context.exit(exitCodeOf(findings));
      if (options.json !== true) context.err.write(`${summary(findings)}\n`);
    });
};

function address(flag: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw new UsageError(`${flag} ${text} is no address`, { subject: flag, advice: 'such as http://127.0.0.1:3100' });
  }
  return url.href.replace(/\/+$/, '');
}
