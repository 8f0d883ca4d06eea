import type { Machine } from '../machine.ts';
import { type Spread, spreadOf } from '../measure/percentile.ts';
import type { CellId, ServerId } from '../plan.ts';

/** One cell, on one server, in one round. */
export interface Sample {
  readonly server: ServerId;
  readonly cell: CellId;
  readonly clients: number;
  readonly round: number;
  /** Successful requests a second. */
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server's process tree during the cell, milliseconds. */
  readonly cpuMs: number;
  readonly done: number;
  readonly errors: number;
  /** Peak of the server's process tree during the cell, bytes, and how much of that were mapped files. */
  readonly resident: number;
  readonly mapped: number;
  /** Share of a core that a bulk driver was busy. */
  readonly driverBusy?: number;
  /** What was wrong with answers or with the bytes that were checked afterwards. */
  readonly problem?: string;
}

export interface MeasuredServer {
  readonly id: ServerId;
  readonly label: string;
  /** Resident bytes when started and empty, and after the fill. */
  readonly idle: number;
  readonly filled: number;
}

/** Everything a run has to say; what `--json` writes. */
export interface Report {
  readonly command: string;
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly servers: readonly MeasuredServer[];
  readonly missing: readonly { readonly id: ServerId; readonly reason: string }[];
  readonly samples: readonly Sample[];
}

/** One cell on one server over all rounds. */
export interface Summary {
  readonly opsPerSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly resident: number;
  /** Milliseconds of processor time a successful request. */
  readonly cpuMs: number;
  readonly done: number;
  readonly errors: number;
  readonly problem: string | undefined;
}

/** A server that fails more than this share of its requests has no rate worth comparing. */
const tolerated = 0.01;

/** Undefined when that cell was not run on that server. */
export function summarise(
  samples: readonly Sample[],
  server: ServerId,
  cell: CellId,
  clients: number,
): Summary | undefined {
  const found = samples.filter(
    (sample) => sample.server === server && sample.cell === cell && sample.clients === clients,
  );
  if (found.length === 0) return undefined;
  return {
    opsPerSecond: spreadOf(found.map((sample) => sample.opsPerSecond)),
    p50Ms: spreadOf(found.map((sample) => sample.p50Ms)),
    p99Ms: spreadOf(found.map((sample) => sample.p99Ms)),
    resident: Math.max(...found.map((sample) => sample.resident)),
    cpuMs: found.reduce((sum, sample) => sum + sample.cpuMs, 0) / found.reduce((sum, sample) => sum + sample.done, 0),
    done: found.reduce((sum, sample) => sum + sample.done, 0),
    errors: found.reduce((sum, sample) => sum + sample.errors, 0),
    problem: found.find((sample) => sample.problem !== undefined)?.problem,
  };
}

/** The summary if its rate may be compared: nearly every answer was right, and the bytes checked were whole. */
export function comparable(summary: Summary | undefined): Summary | undefined {
  if (summary === undefined || summary.done === 0 || summary.problem?.startsWith('check:')) return undefined;
  return summary.errors <= tolerated * (summary.done + summary.errors) ? summary : undefined;
}
