/** What `npm run bench:growth` has to say: tables, targets and plots. */
import { spreadOf } from '../measure/percentile.ts';
import { type Chart, lineChart, type Series } from './plot.ts';
import { figure, table } from './tables.ts';

export const kinds = ['get', 'list', 'put'] as const;
export type Kind = (typeof kinds)[number];

/** What one kind of request did for a while. */
export interface Asked {
  readonly opsPerSecond: number;
  readonly p99Ms: number;
  /** Of the server's processor time, a request. */
  readonly cpuMicroseconds: number;
  /** Greatest resident set of the process tree, bytes, and how much of that was the mapped index. */
  readonly resident: number;
  readonly mapped: number;
}

export interface SizePoint {
  readonly objects: number;
  /** From the start of the process to ready, after a crash; the median. */
  readonly readyMs: number;
  /** Resident bytes just after that. */
  readonly idle: number;
  readonly asked: Readonly<Record<Kind, Asked>>;
}

export interface ClientsPoint {
  readonly clients: number;
  readonly processes: 'one' | 'auto';
  readonly asked: Readonly<Record<Kind, Asked>>;
}

/** The time that something took with few and with most objects, one just after the other. */
export interface Pair {
  readonly base: number;
  readonly most: number;
}

/** Few and most objects, measured in turn. */
export interface Compared {
  readonly few: number;
  readonly objects: number;
  /** Resident bytes with most objects, just after the start. */
  readonly idle: number;
  readonly ready: readonly Pair[];
  readonly asked: Readonly<Record<Kind, readonly Pair[]>>;
}

export interface Growth {
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  readonly bodyBytes: number;
  readonly atClients: number;
  readonly points: readonly SizePoint[];
  readonly clients: readonly ClientsPoint[];
  readonly compared: Compared;
}

const MiB = 1024 * 1024;
const NAMES: Readonly<Record<Kind, string>> = { get: 'GET', list: 'LIST of 1,000', put: 'PUT' };
const mib = (bytes: number): string => figure(bytes / MiB);

export function growthText(growth: Growth): string {
  return [
    `Measured ${growth.date} by \`${growth.command}\`. Machine: ${growth.machine}. Bodies of ${growth.bodyBytes} bytes, ${growth.atClients} clients unless said otherwise, one process unless said otherwise, fsync on.`,
    '![Requests a second over the number of objects](images/growth-objects-rate.svg)',
    '![Memory over the number of objects](images/growth-objects-memory.svg)',
    sizeTable(growth.points),
    '![Requests a second over the number of clients](images/growth-clients-rate.svg)',
    '![Memory over the number of clients](images/growth-clients-memory.svg)',
    clientsTable(growth.clients),
    targetTable(growth),
  ].join('\n\n');
}

function sizeTable(points: readonly SizePoint[]): string {
  return table(
    ['objects', 'ready, ms', 'idle, MiB', ...kinds.flatMap((kind) => [`${NAMES[kind]}/s`, 'p99, ms', 'µs CPU'])],
    points.map(({ objects, readyMs, idle, asked }) => [
      objects.toLocaleString('en'),
      figure(readyMs),
      mib(idle),
      ...kinds.flatMap((kind) => {
        const { opsPerSecond, p99Ms, cpuMicroseconds } = asked[kind];
        return [figure(opsPerSecond), figure(p99Ms), figure(cpuMicroseconds)];
      }),
    ]),
  );
}

function clientsTable(points: readonly ClientsPoint[]): string {
  return table(
    ['clients', 'processes', ...kinds.flatMap((kind) => [`${NAMES[kind]}/s`, 'p99, ms']), 'peak, MiB'],
    points.map(({ clients, processes, asked }) => [
      String(clients),
      processes,
      ...kinds.flatMap((kind) => [figure(asked[kind].opsPerSecond), figure(asked[kind].p99Ms)]),
      mib(Math.max(...kinds.map((kind) => asked[kind].resident))),
    ]),
  );
}

/** Ready within 1.5 times, reads and listings within 1.3 times of few objects; below 300 MiB resident while idle. */
function targetTable({ compared: { few, objects, idle, ready, asked } }: Growth): string {
  const within = (name: string, pairs: readonly Pair[], limit: number): string[] => {
    const { median, min, max } = spreadOf(pairs.map(({ base, most }) => most / base));
    return [
      `${name} with ${objects.toLocaleString('en')} objects within ${limit} × that with ${few.toLocaleString('en')}`,
      `${figure(median)}× (${figure(min)} to ${figure(max)} of ${pairs.length} pairs)`,
      median <= limit ? 'met' : 'missed',
    ];
  };
  return table(
    ['target', 'measured', ''],
    [
      within('time to ready after a crash', ready, 1.5),
      within('time of a GET', asked.get, 1.3),
      within('time of a LIST of 1,000', asked.list, 1.3),
      within('time of a PUT', asked.put, 1.3),
      [
        `resident while idle with ${objects.toLocaleString('en')} objects < 300 MiB`,
        `${figure(idle / MiB)} MiB`,
        idle / MiB < 300 ? 'met' : 'missed',
      ],
    ],
  );
}

/** The plots by the name of their file. */
export function growthCharts({ points, clients }: Growth): readonly (readonly [name: string, svg: string])[] {
  const bySize = (name: string, of: (point: SizePoint) => number): Series => ({
    name,
    points: points.map((point) => [point.objects, of(point)]),
  });
  const byClients = (processes: 'one' | 'auto', name: string, of: (point: ClientsPoint) => number): Series => ({
    name: processes === 'one' ? name : `${name}, all cores`,
    points: clients.filter((point) => point.processes === processes).map((point) => [point.clients, of(point)]),
  });
  const peak = ({ asked }: { readonly asked: Readonly<Record<Kind, Asked>> }) =>
    Math.max(...kinds.map((kind) => asked[kind].resident)) / MiB;
  const own = ({ asked }: { readonly asked: Readonly<Record<Kind, Asked>> }) =>
    Math.max(...kinds.map((kind) => asked[kind].resident - asked[kind].mapped)) / MiB;
  const both = ['one', 'auto'] as const;
  const charts: readonly (readonly [string, Chart])[] = [
    [
      'growth-objects-rate.svg',
      {
        title: 'Requests a second, 64 clients, one process',
        xLabel: 'objects',
        yLabel: 'requests a second',
        series: kinds.map((kind) => bySize(NAMES[kind], ({ asked }) => asked[kind].opsPerSecond)),
      },
    ],
    [
      'growth-objects-memory.svg',
      {
        title: 'Resident memory, one process',
        xLabel: 'objects',
        yLabel: 'MiB',
        series: [
          bySize('idle', ({ idle }) => idle / MiB),
          bySize('peak under load', peak),
          bySize('… without the mapped index', own),
        ],
      },
    ],
    [
      'growth-clients-rate.svg',
      {
        title: 'Requests a second, 10,000 objects',
        xLabel: 'clients',
        yLabel: 'requests a second',
        series: both.flatMap((processes) =>
          kinds.map((kind) => byClients(processes, NAMES[kind], ({ asked }) => asked[kind].opsPerSecond)),
        ),
      },
    ],
    [
      'growth-clients-memory.svg',
      {
        title: 'Resident memory under load, 10,000 objects',
        xLabel: 'clients',
        yLabel: 'MiB',
        series: both.map((processes) => byClients(processes, 'peak', peak)),
      },
    ],
  ];
  return charts.map(([name, chart]) => [name, lineChart(chart)]);
}
