import { UsageError } from '../../src/core/errors.ts';
import type { Report } from './report.ts';
import { cpuTable, latencyTable, memoryTable, problems, rateTable, targetTable } from './tables.ts';

export const beginMarker = '<!-- bench:begin -->';
export const endMarker = '<!-- bench:end -->';

/** The measured part of docs/benchmarks.md, as Markdown. */
export function renderReport(report: Report): string {
  const { machine } = report;
  const complaints = problems(report);
  return [
    `Measured ${report.date.slice(0, 10)} by \`${report.command}\`: ${report.rounds} rounds of ${report.seconds} s a cell, interleaved over the servers; medians.`,
    `Machine: ${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, ${machine.filesystem}, Node ${machine.node}, load before the run ${machine.loadBefore.toFixed(2)}.`,
    report.servers.map(({ id, label }) => `- **${id}**: ${label}`).join('\n'),
    ...(report.missing.length === 0
      ? []
      : [`Not measured: ${report.missing.map(({ id, reason }) => `${id} (${reason.split('\n')[0]})`).join('; ')}.`]),
    '### Targets',
    targetTable(report),
    '### Rates',
    rateTable(report),
    '### Latency',
    latencyTable(report),
    '### Processor time',
    cpuTable(report),
    '### Memory',
    memoryTable(report),
    ...(complaints.length === 0 ? [] : ['### Failures seen', complaints.join('\n')]),
  ].join('\n\n');
}

/**
 * @param markers begin and end, when it is not the main tables' place
 * @throws {UsageError} when the page lost its markers.
 */
export function replaceBetweenMarkers(
  page: string,
  text: string,
  markers: readonly [begin: string, end: string] = [beginMarker, endMarker],
): string {
  const [beginsWith, endsWith] = markers;
  const begin = page.indexOf(beginsWith);
  const end = page.indexOf(endsWith);
  if (begin < 0 || end < begin) {
    throw new UsageError('the page has no place for the tables', { advice: `put ${beginsWith} and ${endsWith} back` });
  }
  return `${page.slice(0, begin + beginsWith.length)}\n${text}\n${page.slice(end)}`;
}
