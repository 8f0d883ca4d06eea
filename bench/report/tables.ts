import { type Cell, cells, type ServerId, serverIds } from '../plan.ts';
import { comparable, type Report, type Summary, summarise } from './report.ts';
import { comparedServers, judge } from './targets.ts';

const mega = 1e6;
const MiB = 1024 * 1024;

/** Three significant digits below 1,000, thousands separated above. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '—';
  if (value >= 1000) return Math.round(value).toLocaleString('en-US');
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cellsOfRow: readonly string[]): string =>
    `| ${cellsOfRow.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

interface Row {
  readonly cell: Cell;
  readonly clients: number;
  readonly of: ReadonlyMap<ServerId, Summary | undefined>;
}

function rowsOf(report: Report): readonly Row[] {
  return cells.flatMap((cell) => {
    const levels = new Set(report.samples.filter((sample) => sample.cell === cell.id).map(({ clients }) => clients));
    return [...levels]
      .sort((a, b) => a - b)
      .map((clients) => ({
        cell,
        clients,
        of: new Map(serverIds.map((id) => [id, summarise(report.samples, id, cell.id, clients)])),
      }));
  });
}

function rate(row: Row, summary: Summary | undefined): string {
  if (summary === undefined) return '—';
  if (comparable(summary) === undefined) return `fails (${summary.errors})`;
  const { median } = summary.opsPerSecond;
  const text = figure(row.cell.rate === 'MB/s' ? (median * row.cell.bytes) / mega : median);
  return summary.errors > 0 ? `${text} (${summary.errors} err)` : text;
}

function ratio(row: Row, against: ServerId): string {
  const ours = comparable(row.of.get('ours'))?.opsPerSecond.median ?? Number.NaN;
  const other = comparable(row.of.get(against))?.opsPerSecond.median ?? Number.NaN;
  return Number.isFinite(ours / other) ? `${figure(ours / other)}×` : '—';
}

const present = (report: Report): readonly ServerId[] =>
  serverIds.filter((id) => report.servers.some((server) => server.id === id));

export function rateTable(report: Report): string {
  const ids = present(report);
  const others = comparedServers.filter((id) => ids.includes(id));
  return table(
    ['', 'clients', '', ...ids, ...others.map((id) => `ours ÷ ${id}`)],
    rowsOf(report).map((row) => [
      row.cell.title,
      String(row.clients),
      row.cell.rate,
      ...ids.map((id) => rate(row, row.of.get(id))),
      ...others.map((id) => ratio(row, id)),
    ]),
  );
}

export function latencyTable(report: Report): string {
  const ids = present(report);
  const text = (summary: Summary | undefined): string =>
    summary === undefined ? '—' : `${figure(summary.p50Ms.median)} / ${figure(summary.p99Ms.median)}`;
  return table(
    ['p50 / p99, ms', 'clients', ...ids],
    rowsOf(report).map((row) => [
      row.cell.title,
      String(row.clients),
      ...ids.map((id) => text(comparable(row.of.get(id)))),
    ]),
  );
}

/** Of the whole process tree. µs a request for small ones, ms a megabyte for large ones. */
export function cpuTable(report: Report): string {
  const ids = present(report);
  const text = (cell: Cell, summary: Summary | undefined): string => {
    if (summary === undefined) return '—';
    return figure(cell.rate === 'MB/s' ? summary.cpuMs / (cell.bytes / mega) : summary.cpuMs * 1000);
  };
  return table(
    ['processor time', 'clients', '', ...ids],
    rowsOf(report).map((row) => [
      row.cell.title,
      String(row.clients),
      row.cell.rate === 'MB/s' ? 'ms a MB' : 'µs a request',
      ...ids.map((id) => text(row.cell, comparable(row.of.get(id)))),
    ]),
  );
}

export function memoryTable(report: Report): string {
  const ids = present(report);
  const mib = (bytes: number | undefined): string => (bytes === undefined ? '—' : figure(bytes / MiB));
  const rows = rowsOf(report);
  const server = (id: ServerId) => report.servers.find((one) => one.id === id);
  const peak = (cell: Cell, id: ServerId): number | undefined => {
    const found = rows.flatMap((row) => (row.cell === cell ? (row.of.get(id)?.resident ?? []) : []));
    return found.length === 0 ? undefined : Math.max(...found);
  };
  const measured = cells.filter((cell) => rows.some((row) => row.cell === cell));
  return table(
    ['resident, MiB', ...ids],
    [
      ['started, empty', ...ids.map((id) => mib(server(id)?.idle))],
      ['after the fill', ...ids.map((id) => mib(server(id)?.filled))],
      ...measured.map((cell) => [`peak, ${cell.title}`, ...ids.map((id) => mib(peak(cell, id)))]),
    ],
  );
}

export function targetTable(report: Report): string {
  return table(
    ['target', 'clients', 'measured', ''],
    judge(report).map(({ target, clients, measured, verdict, note }) => [
      target,
      String(clients),
      measured === undefined ? '—' : `${figure(measured)}×`,
      note === undefined ? verdict : `${verdict} (${note})`,
    ]),
  );
}

/** Each distinct complaint once, with the cell it came from. */
export function problems(report: Report): readonly string[] {
  const seen = new Map<string, string>();
  for (const { server, cell, problem } of report.samples) {
    if (problem !== undefined)
      seen.set(`${server} ${cell}`, `- ${server}, ${cell}: ${problem.replaceAll('\n', ' ').slice(0, 160)}`);
  }
  return [...seen.values()];
}
