import { createBackupMetrics, judge, type SourceStatus, statusOf } from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { WEEK } from '../../core/durations.ts';
import type { Finding } from '../../core/finding.ts';
import { formatBytes } from '../../core/sizes.ts';
import { estimate, measureUsage, type PriceList, priceLists, type Usage } from '../../cost/index.ts';
import { resolveConnection } from '../../providers/index.ts';
import type { Settings } from '../../settings/index.ts';
import { backupCommand, duration, sourceName, storesOf, withRepository } from '../backup.ts';
import { type Register, withSettings } from '../context.ts';
import { exitCodeOf } from '../exit.ts';
import { printFindings } from '../output.ts';

interface Options {
  readonly rpo?: number;
  readonly size: boolean;
  readonly metrics?: boolean;
  readonly json?: boolean;
}

export const backupStatus: Register = (program, context) => {
  const command = backupCommand(program, 'status');
  withSettings(command)
    .description(
      'Say of each source how old its last good snapshot is, what a drill showed, its size, growth and cost.',
    )
    .argument('[source]', 'only of this one', sourceName)
    .option('--rpo <duration>', 'how old the last good snapshot may be', duration)
    .option('--no-size', 'leave size, growth and cost out: they take a request for each 1,000 objects')
    .option('--metrics', "print Prometheus' text, for the node exporter's textfile collector")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 all are within the objective, 2 one is not, or its last drill failed.\n\nExamples:\n  bucketwright backup status --rpo 1h\n  bucketwright backup status --rpo 1h --metrics > /var/lib/node-exporter/backup.prom',
    )
    .action((source: string | undefined, { rpo, size, metrics, json }: Options) =>
      withRepository(command, context, async (repository, settings) => {
        const now = systemClock.now();
        const stores = await storesOf(repository, source);
        if (metrics === true) {
          const all = createBackupMetrics();
          const findings: Finding[] = [];
          for (const store of stores) {
            const status = await statusOf(store);
            all.objectives(status.source, { rpo });
            all.status(status);
            findings.push(...judge(status, now, rpo));
          }
          context.out.write((await all.scrape()).text);
          return context.exit(exitCodeOf(findings));
        }
        const list = priceListOf(settings);
        const findings = await printFindings(each(), context, json === true);
        if (findings.length === 0) context.err.write('no sources\n');
        context.exit(exitCodeOf(findings));

        async function* each(): AsyncGenerator<Finding> {
          for (const store of stores) {
            const status = await statusOf(store);
            yield* judge(status, now, rpo);
            if (!size) continue;
            const { client, bucket, prefix } = store.storage.place;
            const place = { bucket, prefix: prefix + store.subject('') };
            const leasts = list === undefined ? [] : [list.leastObjectBytes];
            yield sizeFinding(status, await measureUsage(client, place, { now, window: WEEK, leasts }), list);
          }
        }
      }),
    );
};

/** The provider's own prices, where they are known. */
function priceListOf({ storage }: Settings): PriceList | undefined {
  if (storage.kind !== 's3') return undefined;
  const { name } = resolveConnection(storage).provider;
  return priceLists.find(({ provider }) => provider === name);
}

function sizeFinding({ source, lastGood }: SourceStatus, usage: Usage, list: PriceList | undefined): Finding {
  const restored = lastGood?.content.kind === 'mdbx' ? `, ${formatBytes(chainBytes(lastGood.content))} to restore` : '';
  const size = `${formatBytes(usage.now.bytes)} in ${usage.now.objects} objects${restored}`;
  const growth = `${formatBytes(usage.perDay.bytes)} a day`;
  return {
    id: 'size',
    status: 'ok',
    subject: source,
    found: `${size}, ${growth}${list === undefined ? '' : `, ${monthly(source, usage, list)}`}`,
  };
}

const chainBytes = ({ layers }: { readonly layers: readonly { readonly stored: number }[] }): number =>
  layers.reduce((sum, { stored }) => sum + stored, 0);

/** What storing it costs, without what is paid once for the account and what that includes. */
function monthly(source: string, usage: Usage, list: PriceList): string {
  const bare: PriceList = { ...list, base: 0, includedGB: 0 };
  const places = [{ use: source, usage, retention: undefined }];
  const cost = estimate(bare, places, { reads: 0, egressBytes: 0 }, true).now?.lines.find(
    ({ what }) => what === 'storage',
  );
  return `${(cost?.cost ?? 0).toFixed(2)} ${list.currency} a month at ${list.provider}'s prices of ${list.asOf}, without the base price`;
}
