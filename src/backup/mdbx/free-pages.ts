import { nodesOf } from './nodes.ts';

/** So many are noted of one layer at most; the others merely stay stored. */
export const MOST_FREE = 1 << 17;

/** Runs of [first page, how many], ascending. */
export type Runs = readonly (readonly [number, number])[];

/** The pages that the records on a leaf page of the free pages' tree list. Longer lists have pages of their own. */
export function freeOnLeaf(page: Buffer): readonly number[] {
  return [...nodesOf(page)].flatMap(({ kind, size, rest }) => (kind === 0 ? freeInRecord(rest.subarray(0, size)) : []));
}

/**
 * The pages of one record: their count, then each, 4 bytes a number. There may be room for more than are listed.
 * @param record its value, or the beginning of it
 */
export function freeInRecord(record: Buffer): readonly number[] {
  if (record.length < 4) return [];
  const listed = Math.min(record.readUInt32LE(0), Math.floor(record.length / 4) - 1);
  return Array.from({ length: listed }, (_, index) => record.readUInt32LE(4 + index * 4));
}

/** The first `MOST_FREE` of them, each once. */
export function runsOf(pages: readonly number[]): Runs {
  const runs: [number, number][] = [];
  for (const page of [...new Set(pages)].sort((a, b) => a - b).slice(0, MOST_FREE)) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === page) last[1] += 1;
    else runs.push([page, 1]);
  }
  return runs;
}

export function* pagesIn(runs: Runs): Generator<number> {
  for (const [first, count] of runs) for (let page = first; page < first + count; page++) yield page;
}
