import { DAY } from '../core/durations.ts';
import type { PriceList } from './price-list.ts';
import { type Amount, plus, times, type Usage } from './usage.ts';

/** A mean month, as providers that bill by the hour count it: 730 hours. */
export const DAYS_A_MONTH = 730 / 24;

/** One use of the storage: what it holds and how long it keeps it. */
export interface PlaceUsage {
  /** `loki`, `tempo`, … */
  readonly use: string;
  readonly usage: Usage;
  /** Milliseconds after which the program deletes; undefined: it keeps everything. */
  readonly retention: number | undefined;
}

/** What nobody can read from a bucket. */
export interface Traffic {
  /** Requests a month. */
  readonly reads: number;
  /** Bytes a month that leave the provider. */
  readonly egressBytes: number;
}

export interface CostLine {
  readonly what: 'base' | 'storage' | 'writes' | 'reads' | 'egress';
  /** GB as the provider counts it, or requests. */
  readonly amount: number;
  readonly included: number;
  readonly cost: number;
}

export interface MonthlyCost {
  readonly lines: readonly CostLine[];
  readonly total: number;
}

export interface Estimate {
  readonly list: PriceList;
  /** With what is stored now; undefined where nothing was measured. */
  readonly now: MonthlyCost | undefined;
  /** With what is stored once retention deletes as much as comes in. */
  readonly steady: MonthlyCost;
}

/** What is stored when each place has been filled for its retention; a place that keeps everything counts after a year. */
export function steadyState({ usage, retention }: PlaceUsage): Amount {
  return times(usage.perDay, retention === undefined ? 365 : retention / DAY);
}

/** The monthly cost of all places together on one price list. Pure. */
export function estimate(
  list: PriceList,
  places: readonly PlaceUsage[],
  traffic: Traffic,
  measured: boolean,
): Estimate {
  const nothing: Amount = { objects: 0, bytes: 0, billed: new Map([[list.leastObjectBytes, 0]]) };
  const sum = (amounts: readonly Amount[]) => amounts.reduce(plus, nothing);
  const writes = sum(places.map(({ usage }) => usage.perDay)).objects * DAYS_A_MONTH;
  const cost = (stored: Amount) => monthly(list, stored, writes, traffic);
  return {
    list,
    now: measured ? cost(sum(places.map(({ usage }) => usage.now))) : undefined,
    steady: cost(sum(places.map(steadyState))),
  };
}

function monthly(list: PriceList, stored: Amount, writes: number, traffic: Traffic): MonthlyCost {
  const storedGB = (stored.billed.get(list.leastObjectBytes) ?? stored.bytes) / list.gigabyte;
  const freeEgressGB = Math.max(list.includedEgressGB, list.freeEgressPerStoredGB * storedGB);
  const line = (what: CostLine['what'], amount: number, included: number, price: number): CostLine => ({
    what,
    amount,
    included,
    cost: Math.max(0, amount - included) * price,
  });
  const lines: readonly CostLine[] = [
    { what: 'base', amount: 1, included: 0, cost: list.base },
    line('storage', storedGB, list.includedGB, list.storagePerGB),
    line('writes', writes, list.includedWrites, list.writesPerThousand / 1000),
    line('reads', traffic.reads, list.includedReads, list.readsPerThousand / 1000),
    line('egress', traffic.egressBytes / list.gigabyte, freeEgressGB, list.egressPerGB),
  ];
  return { lines, total: lines.reduce((total, { cost }) => total + cost, 0) };
}
