/** What must not grow, looked at now and then, and what is said of it at the end. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MiB } from '../../src/core/sizes.ts';
import { memoryOf } from '../measure/memory.ts';
import { spreadOf } from '../measure/percentile.ts';

export interface Sample {
  /** Seconds since the load began. */
  readonly at: number;
  /** Bytes resident that are no mapped file, of the server's processes. */
  readonly memory: number;
  readonly descriptors: number;
  readonly bodyFiles: number;
  readonly indexBytes: number;
}

export function takeSample(at: number, pids: readonly number[], data: string): Sample {
  const { resident, file } = memoryOf(pids);
  return {
    at,
    memory: resident - file,
    descriptors: pids.flatMap(withChildren).reduce((sum, pid) => sum + entriesOf(`/proc/${pid}/fd`).length, 0),
    bodyFiles: filesBelow(join(data, 'bodies')),
    indexBytes: statSync(join(data, 'index', 'data.mdb')).size,
  };
}

function withChildren(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return [pid, ...text.split(' ').filter(Boolean).map(Number).flatMap(withChildren)];
  } catch {
    return [pid];
  }
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Files may go while they are counted. */
function filesBelow(directory: string): number {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
  } catch {
    return Number.NaN;
  }
}

interface Growth {
  readonly what: string;
  /** Medians over the second and the last quarter: the first is warming up. */
  readonly early: number;
  readonly late: number;
  readonly allowed: number;
  readonly unit: string;
}

/** How far each may be above what it was once the server was warm. */
export function growthOf(samples: readonly Sample[]): readonly Growth[] {
  const quarter = (number: number) =>
    samples.slice(Math.floor((samples.length * number) / 4), Math.floor((samples.length * (number + 1)) / 4));
  const rows = [
    {
      what: 'memory (resident, without mapped files)',
      of: (sample: Sample) => sample.memory / MiB,
      unit: 'MiB',
      slack: 24,
    },
    { what: 'descriptors', of: (sample: Sample) => sample.descriptors, unit: '', slack: 10 },
    { what: 'body files', of: (sample: Sample) => sample.bodyFiles, unit: '', slack: 200 },
    { what: 'index', of: (sample: Sample) => sample.indexBytes / MiB, unit: 'MiB', slack: 16 },
  ];
  return rows.map(({ what, of, unit, slack }) => {
    const median = (number: number) => spreadOf(quarter(number).map(of).filter(Number.isFinite)).median;
    const early = median(1);
    return { what, early, late: median(3), allowed: early * 1.15 + slack, unit };
  });
}

export function growthTable(growths: readonly Growth[]): string {
  const rows = growths.map(({ what, early, late, allowed, unit }) => {
    const cell = (value: number) => `${value.toFixed(0)} ${unit}`.trim();
    return `| ${what} | ${cell(early)} | ${cell(late)} | ${cell(allowed)} | ${late <= allowed ? 'no growth' : '**grows**'} |`;
  });
  return ['| | second quarter | last quarter | allowed | |', '|---|---:|---:|---:|---|', ...rows].join('\n');
}
