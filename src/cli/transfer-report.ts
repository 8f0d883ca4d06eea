import { formatDuration } from '../core/durations.ts';
import { formatBytes } from '../core/sizes.ts';
import type { Plan, Problem, TransferReport } from '../transfer/index.ts';

/** What a transfer did, a line each; nothing is left out. */
export function reportText(report: TransferReport, deleting: boolean): string {
  const amount = ({ objects, bytes }: TransferReport['copied']) => `${objects} (${formatBytes(bytes)})`;
  const { copied, problems } = report;
  const lines = [
    ...(report.mode === 'transfer'
      ? [
          `copied    ${amount(copied)}; ${report.readChecked} held against the source's ETag, ${report.storedChecked} confirmed by the destination's`,
          `skipped   ${amount(report.skipped)}, equal already`,
        ]
      : []),
    ...(report.verified.objects > 0 ? [`verified  ${amount(report.verified)} by reading back`] : []),
    ...(report.newer.length > 0
      ? [`newer     ${report.newer.length} changed after the listing; the newer was copied`]
      : []),
    ...(report.headersDropped > 0
      ? [`dropped   content type, headers or metadata of ${report.headersDropped}: files cannot keep them`]
      : []),
    ...(report.tagsDropped > 0 ? [`dropped   tags of ${report.tagsDropped}: the destination has none`] : []),
    ...(report.notTried.objects > 0 ? [`not tried ${amount(report.notTried)}`] : []),
    ...(report.cleanedUp > 0
      ? [`removed   ${report.cleanedUp} unfinished uploads or files of an interrupted run`]
      : []),
    ...(report.extra.length > 0
      ? [
          `only there ${report.extra.length}${deleting ? `, ${report.deleted.objects} of them deleted` : ', left as they are'}`,
        ]
      : []),
    ...(problems.length > 0 ? [`problems  ${problems.length}, each named above`] : []),
    `${outcome(report)} after ${formatDuration(report.milliseconds)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function outcome({ mode, complete }: TransferReport): string {
  if (mode === 'verify-only') return complete ? 'equal' : 'NOT equal: without --verify-only what differs is copied';
  return complete ? 'complete' : 'NOT complete: run it again to go on';
}

/** The bytes of the actions that are wanted. */
export function plannedBytes(plan: Plan, wanted: (action: Plan['actions'][number]) => boolean): number {
  return plan.actions.reduce((sum, action) => (wanted(action) ? sum + action.object.size : sum), 0);
}

export function problemLine({ key, kind, reason, advice }: Problem): string {
  return `${kind}: ${printable(key)}: ${reason}${advice === undefined ? '' : `; ${advice}`}`;
}

/** A key on one line: control characters would let it write over the terminal. */
export function printable(key: string): string {
  return key.replaceAll(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
