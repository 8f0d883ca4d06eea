import {
  applyPrune,
  extendLocks,
  type KeepRules,
  type PrunePlan,
  planPrune,
  type SourceStore,
  takeLease,
} from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { UsageError } from '../../core/errors.ts';
import { formatBytes } from '../../core/sizes.ts';
import { backupCommand, duration, isoTime, sourceName, storesOf, whole, withRepository } from '../backup.ts';
import { type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';

interface Options {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepWithin?: number;
  readonly dropUnreadable?: boolean;
  readonly apply?: boolean;
  readonly json?: boolean;
}

export const backupPrune: Register = (program, context) => {
  const command = backupCommand(program, 'prune');
  withSettings(command)
    .description('Say which snapshots the rules do not keep, and with --apply remove them and what only they needed.')
    .argument('[source]', 'only of this one', sourceName)
    .option('--keep-last <n>', 'so many of each source', whole)
    .option('--keep-hourly <n>', 'the newest of each of so many hours', whole)
    .option('--keep-daily <n>', 'the newest of each of so many days (UTC)', whole)
    .option('--keep-weekly <n>', 'the newest of each of so many weeks', whole)
    .option('--keep-monthly <n>', 'the newest of each of so many months', whole)
    .option('--keep-within <duration>', 'all that are younger', duration)
    .option('--drop-unreadable', 'remove snapshots that are too damaged to be restored, too')
    .option('--apply', 'do it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe newest snapshot of every source always stays. Objects younger than a day stay: they may belong to a snapshot that\nis being made. Killed anywhere, it leaves every listed snapshot whole; run it again.\n\nExit codes: 0 done, or nothing to do; 2 there is something to do and --apply was not given.\n\nExample:\n  bucketwright backup prune --keep-last 3 --keep-daily 7 --keep-weekly 5 --keep-monthly 12',
    )
    .action((source: string | undefined, options: Options) => {
      const rules: KeepRules = {
        last: options.keepLast ?? 0,
        hourly: options.keepHourly ?? 0,
        daily: options.keepDaily ?? 0,
        weekly: options.keepWeekly ?? 0,
        monthly: options.keepMonthly ?? 0,
        within: options.keepWithin ?? 0,
      };
      if (Object.values(rules).every((value) => value === 0)) {
        throw new UsageError('prune needs at least one --keep rule', {
          subject: '--keep-last',
          advice: 'without one only the newest snapshot of each source would stay; if that is meant: --keep-last 1',
        });
      }
      return withRepository(command, context, async (repository) => {
        const now = systemClock.now();
        const prune = { rules, now, dropUnreadable: options.dropUnreadable };
        const plans: (readonly [SourceStore, PrunePlan])[] = [];
        for (const store of await storesOf(repository, source)) plans.push([store, await planPrune(store, prune)]);
        const all = plans.map(([, plan]) => plan);
        context.out.write(options.json === true ? planJson(all) : planText(all));
        if (all.every((plan) => goingOf(plan) === 0 && plan.objects.length === 0)) return;
        if (options.apply !== true) {
          context.err.write('nothing was removed: --apply does\n');
          return context.exit(exitCode.findings);
        }
        let freed = 0;
        for (const [store, plan] of plans) {
          const lease = await takeLease(store, { purpose: 'backup prune' });
          try {
            await extendLocks(store, now);
            // The provider's time says how old its objects are, whatever this host's clock says.
            freed += await applyPrune(store, plan, lease.providerTime ?? now);
          } finally {
            await lease.release();
          }
        }
        const going = all.reduce((sum, plan) => sum + goingOf(plan), 0);
        context.err.write(`removed ${going} snapshots and ${formatBytes(freed)}\n`);
      });
    });
};

const goingOf = ({ snapshots }: PrunePlan): number => snapshots.filter(({ reasons }) => reasons.length === 0).length;

function planJson(plans: readonly PrunePlan[]): string {
  const sources = plans.map(({ source, snapshots, objects, freed }) => ({
    source,
    snapshots: snapshots.map(({ snapshot: { id, time }, reasons }) => ({
      id,
      time: new Date(time).toISOString(),
      keep: reasons,
    })),
    objects,
    freedBytes: freed,
  }));
  return `${JSON.stringify({ sources }, null, 2)}\n`;
}

function planText(plans: readonly PrunePlan[]): string {
  return plans
    .flatMap((plan) => [
      ...plan.snapshots.map(({ snapshot, reasons }) => {
        const what = reasons.length === 0 ? 'remove' : `keep   (${reasons.join(', ')})`;
        return `${isoTime(snapshot.time)}  ${plan.source}  ${snapshot.id}  ${what}\n`;
      }),
      `${plan.source}: ${goingOf(plan)} of ${plan.snapshots.length} snapshots go, ${plan.objects.length} objects with ${formatBytes(plan.freed)}\n`,
    ])
    .join('');
}
