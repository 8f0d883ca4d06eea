import { formatBytes } from '../../src/core/sizes.ts';
import type { WrkRun } from '../drive/wrk.ts';
import type { Machine } from '../machine.ts';
import { spreadOf } from '../measure/percentile.ts';
import type { Action, JobResult } from './jobs.ts';
import type { ListingRuns } from './listing.ts';
import type { ResolveRuns } from './resolve.ts';

export interface ArtifactReport {
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  readonly loadAfter: number;
  readonly size: number;
  readonly transfers: ReadonlyMap<Action, readonly JobResult[]>;
  readonly again: { readonly uploaded: number; readonly sent: number };
  readonly resolve: ResolveRuns;
  readonly listing: ListingRuns;
}

interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly met: boolean;
}

const median = (values: readonly number[]): number => spreadOf(values).median;

function targetsOf({ size, transfers, again, resolve, listing }: ArtifactReport): readonly Target[] {
  const time = (action: Action) => median((transfers.get(action) ?? []).map(({ milliseconds }) => milliseconds));
  const memory = (action: Action) => Math.max(...(transfers.get(action) ?? []).map(({ peakRssMiB }) => peakRssMiB));
  const push = time('plain-put') / time('push');
  const pull = Math.min(time('plain-get'), time('plain-stream')) / time('pull');
  const rate = (runs: readonly WrkRun[]) => median(runs.map(({ answered, seconds }) => answered / seconds));
  const p99 = (runs: readonly WrkRun[]) => median(runs.map(({ p99Ms }) => p99Ms));
  const share = rate(resolve.api) / rate(resolve.ceiling);
  const tail = p99(resolve.api) / p99(resolve.ceiling);
  const lists = median(listing.listed) / median(listing.bare);
  const errors = resolve.api.reduce((sum, run) => sum + run.errors, 0);
  const percent = (part: number) => `${(part * 100).toFixed(0)} %`;
  const mib = (value: number) => `${value.toFixed(0)} MiB`;
  return [
    {
      what: `push of ${formatBytes(size)}, of plain multipart`,
      wanted: '≥ 90 %',
      found: percent(push),
      met: push >= 0.9,
    },
    {
      what: `pull of ${formatBytes(size)}, of the faster plain download`,
      wanted: '≥ 90 %',
      found: percent(pull),
      met: pull >= 0.9,
    },
    { what: 'peak RSS of push', wanted: '< 150 MiB', found: mib(memory('push')), met: memory('push') < 150 },
    { what: 'peak RSS of pull', wanted: '< 150 MiB', found: mib(memory('pull')), met: memory('pull') < 150 },
    {
      what: 'a second push of the same content: content sent; all bytes on the wire, headers and documents included',
      wanted: 'nothing',
      found: `${again.uploaded} B; ${formatBytes(again.sent)}`,
      met: again.uploaded === 0 && again.sent < 64 * 1024,
    },
    {
      what: `resolve at 64 clients, of the empty node:http`,
      wanted: '≥ 0.3×',
      found: `${share.toFixed(2)}× (${rate(resolve.api).toFixed(0)} of ${rate(resolve.ceiling).toFixed(0)} /s, ${errors} errors)`,
      met: share >= 0.3 && errors === 0,
    },
    {
      what: 'resolve at 64 clients, p99, of the empty node:http',
      wanted: '≤ 3×',
      found: `${tail.toFixed(2)}× (${p99(resolve.api).toFixed(1)} of ${p99(resolve.ceiling).toFixed(1)} ms)`,
      met: tail <= 3,
    },
    {
      what: `${listing.versions} versions of a name, of their ${listing.requests} bare LIST requests`,
      wanted: '≤ 2×',
      found: `${lists.toFixed(2)}× (${median(listing.listed).toFixed(0)} of ${median(listing.bare).toFixed(0)} ms)`,
      met: lists <= 2,
    },
  ];
}

const order: readonly [Action, string][] = [
  ['plain-put', 'plain upload: the client as it is, parts of 8 MiB, four at once'],
  ['unsigned-put', 'the same parts sent as `push` sends them, without any digest of the whole'],
  ['push', '`push`: read once for the digest, then sent'],
  ['plain-stream', 'plain download: one GET into a file, synced'],
  ['plain-get', 'plain download: ranges of 8 MiB, four at once, into a file, synced'],
  ['pull', '`pull`: the same ranges, digest checked, synced, renamed'],
];

/** The measured part of docs/benchmarks-artifacts.md, and whether every target was met. */
export function renderArtifactReport(report: ArtifactReport): { readonly text: string; readonly met: boolean } {
  const { machine, transfers, size } = report;
  const targets = targetsOf(report);
  const rows = order.map(([action, what]) => {
    const runs = transfers.get(action) ?? [];
    const { median: time, min, max } = spreadOf(runs.map(({ milliseconds }) => milliseconds));
    const rate = size / 1024 ** 2 / (time / 1000);
    const cpu = median(runs.map(({ cpuMilliseconds }) => cpuMilliseconds)) / 1000;
    const rss = Math.max(...runs.map(({ peakRssMiB }) => peakRssMiB));
    const seconds = [time, min, max].map((value) => (value / 1000).toFixed(2));
    return `| ${what} | ${seconds.join(' | ')} | ${rate.toFixed(0)} | ${cpu.toFixed(2)} | ${rss.toFixed(0)} |`;
  });
  const text = [
    `Measured ${report.date.slice(0, 10)} by \`${report.command}\`, all in turns in one run, against \`bucketwright serve\` on this machine; medians.`,
    `Machine: ${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, ${machine.filesystem}, Node ${machine.node}; load before the run ${machine.loadBefore.toFixed(1)}, after it ${report.loadAfter.toFixed(1)}.`,
    [
      '| | target | found | |',
      '|---|---:|---:|---|',
      ...targets.map(
        ({ what, wanted, found, met }) => `| ${what} | ${wanted} | ${found} | ${met ? 'met' : '**missed**'} |`,
      ),
    ].join('\n'),
    [
      `| ${formatBytes(size)} | median s | least | greatest | MiB/s | client CPU s | peak RSS MiB |`,
      '|---|---:|---:|---:|---:|---:|---:|',
      ...rows,
    ].join('\n'),
  ].join('\n\n');
  return { text, met: targets.every(({ met }) => met) };
}
