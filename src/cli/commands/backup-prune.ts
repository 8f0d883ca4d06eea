import { applyPrune, type KeepRules, planPrune } from '../../backup/index.ts';
import { systemClock } from '../../core/clock.ts';
import { UsageError } from '../../core/errors.ts';
import { formatBytes } from '../../core/sizes.ts';
import { backupCommand, duration, isoTime, whole, withRepository } from '../backup.ts';
import { type Register, withSettings } from '../context.ts';
import { exitCode } from '../exit.ts';

interface Options {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepWithin?: number;
  readonly apply?: boolean;
  readonly json?: boolean;
}

export const backupPrune: Register = (program, context) => {
  const command = backupCommand(program, 'prune');
  withSettings(command)
    .description('Say which snapshots the rules do not keep, and with --apply remove them and what only they needed.')
    .option('--keep-last <n>', 'of each source', whole)
    .option('--keep-hourly <n>', 'the newest of each of so many hours', whole)
    .option('--keep-daily <n>', 'the newest of each of so many days (UTC)', whole)
    .option('--keep-weekly <n>', 'the newest of each of so many weeks', whole)
    .option('--keep-monthly <n>', 'the newest of each of so many months', whole)
    .option('--keep-within <duration>', 'all that are younger', duration)
    .option('--apply', 'do it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe newest snapshot of every source always stays. Objects younger than a day stay: they may belong to a snapshot that\nis being made. Killed anywhere, it leaves every listed snapshot whole; run it again.\n\nExit codes: 0 done, or nothing to do; 2 there is something to do and --apply was not given.\n\nExample:\n  bucketwright backup prune --keep-last 3 --keep-daily 7 --keep-weekly 5 --keep-monthly 12',
    )
    .action((options: Options) => {
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
        const plan = await planPrune(repository, rules, now);
        const going = plan.snapshots.filter(({ reasons }) => reasons.length === 0);
        if (options.json === true) {
          const snapshots = plan.snapshots.map(({ snapshot: { source, id, time }, reasons }) => ({
            source,
            id,
            time: new Date(time).toISOString(),
            keep: reasons,
          }));
          context.out.write(
            `${JSON.stringify({ snapshots, objects: plan.objects, freedBytes: plan.freed }, null, 2)}\n`,
          );
        } else {
          for (const { snapshot, reasons } of plan.snapshots) {
            const what = reasons.length === 0 ? 'remove' : `keep   (${reasons.join(', ')})`;
            context.out.write(`${isoTime(snapshot.time)}  ${snapshot.source}  ${snapshot.id}  ${what}\n`);
          }
          context.out.write(
            `${going.length} of ${plan.snapshots.length} snapshots go, ${plan.objects.length} objects with ${formatBytes(plan.freed)}\n`,
          );
        }
        if (going.length === 0 && plan.objects.length === 0) return;
        if (options.apply !== true) {
          context.err.write('nothing was removed: --apply does\n');
          return context.exit(exitCode.findings);
        }
        const freed = await applyPrune(repository, plan, now);
        context.err.write(`removed ${going.length} snapshots and ${formatBytes(freed)}\n`);
      });
    });
};
