/** The targets of the "Speed" section that the server was built to, judged from a report. */
import { type CellId, cells, durablePeers, otherPeers, type ServerId, serverIds } from '../plan.ts';
import { comparable, type Report, summarise } from './report.ts';

export interface Judgement {
  readonly target: string;
  readonly clients: number;
  /** The factor asked for, the one measured, or undefined when one side has no number. */
  readonly wanted: number;
  readonly measured: number | undefined;
  /** `unmeasured` when either side is missing; `met` by default when the other side cannot do the work at all. */
  readonly verdict: 'met' | 'missed' | 'unmeasured';
  readonly note?: string;
}

interface Target {
  readonly cell: CellId;
  readonly against: ServerId;
  readonly wanted: number;
  /** At the highest number of clients only, or at each. */
  readonly at: 'highest' | 'each';
  /** Which of our servers is judged. Default: `ours`, one process. */
  readonly of?: 'cores';
}

const verifying: readonly ServerId[] = ['rgw'];
const peers: readonly ServerId[] = ['s3rver', 'fauxqs', 'rgw'];
const bulk: readonly CellId[] = ['put1m', 'get1m', 'put64m', 'get64m'];
const small: readonly CellId[] = ['get1k', 'head'];
const whole: readonly CellId[] = ['put64m', 'put64m-sha256', 'get64m', 'mpu8x8m', 'mpu8x8m-sha256'];

export const targets: readonly Target[] = [
  { cell: 'put1k', against: 'file', wanted: 1.3, at: 'highest' },
  { cell: 'put1k', against: 's3rver', wanted: 4, at: 'highest' },
  { cell: 'put1k', against: 'rgw', wanted: 4, at: 'highest' },
  { cell: 'put1k', against: 'fauxqs', wanted: 0.8, at: 'highest' },
  ...small.flatMap((cell): Target[] => [
    { cell, against: 'null', wanted: 0.25, at: 'highest' },
    ...verifying.map((against): Target => ({ cell, against, wanted: 1, at: 'highest' })),
  ]),
  { cell: 'list1000', against: 'fauxqs', wanted: 3, at: 'highest' },
  { cell: 'list1000', against: 'rgw', wanted: 3, at: 'highest' },
  ...bulk.flatMap((cell): Target[] => [
    { cell, against: 'file', wanted: 0.7, at: 'each' },
    ...peers.map((against): Target => ({ cell, against, wanted: 1, at: 'each' })),
  ]),
  { cell: 'mpu8x8m', against: 'rgw', wanted: 2, at: 'each' },
  ...whole.map((cell): Target => ({ cell, against: 'file', wanted: 0.9, at: 'highest', of: 'cores' })),
  // With all cores.
  { cell: 'get1k', against: 'null', wanted: 0.6, at: 'highest', of: 'cores' },
  { cell: 'put1k', against: 'null', wanted: 0.35, at: 'highest', of: 'cores' },
  { cell: 'put1k', against: 'minio', wanted: 3, at: 'highest', of: 'cores' },
  { cell: 'get1k', against: 'minio', wanted: 2, at: 'highest', of: 'cores' },
  { cell: 'list1000', against: 'minio', wanted: 3, at: 'highest', of: 'cores' },
];

const nameOf = (id: ServerId): string =>
  id === 'null' ? 'the empty ceiling' : id === 'file' ? 'the write-and-fsync file ceiling' : id;

/** The numbers of clients at which all cores have to be ahead of every peer. */
const AHEAD_AT = [16, 64];

/** One judgement for each target and number of clients that the run covered. */
export function judge(report: Report): readonly Judgement[] {
  return [...judgeRatios(report), ...judgeAhead(report)];
}

/** With all cores, ahead of each peer in every cell; small PUT of those that do not write to the disk is let off a tenth. */
function judgeAhead(report: Report): readonly Judgement[] {
  const measured = [...durablePeers, ...otherPeers].filter((id) => report.servers.some((server) => server.id === id));
  return measured.flatMap((peer) =>
    AHEAD_AT.flatMap((asked): Judgement[] => {
      const ratios = cells.flatMap((cell) => {
        const [clients] = cell.clients([asked]);
        const ours = comparable(summarise(report.samples, 'cores', cell.id, clients ?? asked));
        const other = comparable(summarise(report.samples, peer, cell.id, clients ?? asked));
        if (ours === undefined || other === undefined) return [];
        const eased = otherPeers.includes(peer) && cell.id.startsWith('put1k');
        const ratio = ours.opsPerSecond.median / other.opsPerSecond.median;
        return [{ cell, ratio, behind: ratio < (eased ? 0.9 : 1) }];
      });
      if (ratios.length === 0) return [];
      const behind = ratios.filter((one) => one.behind);
      const note = behind.map(({ cell, ratio }) => `${cell.title} ${ratio.toFixed(2)}×`).join(', ');
      return [
        {
          target: `all cores ahead of ${peer} in each of ${ratios.length} cells: the least`,
          clients: asked,
          wanted: 1,
          measured: Math.min(...ratios.map(({ ratio }) => ratio)),
          verdict: behind.length === 0 ? 'met' : 'missed',
          ...(note !== '' && { note }),
        },
      ];
    }),
  );
}

function judgeRatios(report: Report): readonly Judgement[] {
  return targets.flatMap((target) => {
    const cell = cells.find(({ id }) => id === target.cell);
    const levels = [...new Set(report.samples.filter((s) => s.cell === target.cell).map((s) => s.clients))].sort(
      (a, b) => a - b,
    );
    return (target.at === 'highest' ? levels.slice(-1) : levels).map((clients): Judgement => {
      const ours = summarise(report.samples, target.of ?? 'ours', target.cell, clients);
      const other = summarise(report.samples, target.against, target.cell, clients);
      const words =
        target.wanted === 1 ? `ahead of ${nameOf(target.against)}` : `≥ ${target.wanted} × ${nameOf(target.against)}`;
      const title = `${cell?.title ?? target.cell}${target.of === 'cores' ? ', all cores,' : ''}`;
      const base = { target: `${title} ${words}`, clients, wanted: target.wanted };
      if (ours === undefined || other === undefined) return { ...base, measured: undefined, verdict: 'unmeasured' };
      const rate = comparable(ours)?.opsPerSecond.median;
      const otherRate = comparable(other)?.opsPerSecond.median;
      if (rate === undefined)
        return { ...base, measured: undefined, verdict: 'missed', note: ours.problem ?? 'errors' };
      if (otherRate === undefined) {
        return {
          ...base,
          measured: undefined,
          verdict: 'met',
          note: `${target.against} fails this: ${other.problem ?? 'errors'}`,
        };
      }
      const measured = rate / otherRate;
      return { ...base, measured, verdict: measured >= target.wanted ? 'met' : 'missed' };
    });
  });
}

export const comparedServers: readonly ServerId[] = serverIds.filter((id) => id !== 'ours' && id !== 'cores');
