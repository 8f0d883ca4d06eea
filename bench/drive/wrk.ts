import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository } from '../paths.ts';
import type { Signer } from './sign.ts';

/** What one run of wrk saw. */
export interface WrkRun {
  /** Requests handed out; the last ones, at most one a connection, may be unanswered. */
  readonly issued: number;
  /** Answers, whatever their status. */
  readonly answered: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers above 399, and broken or timed-out connections. */
  readonly errors: number;
}

export interface RequestList {
  readonly method: string;
  readonly targets: readonly string[];
  readonly bodyBytes: number;
  /** Stop when every request was sent once, instead of starting over. */
  readonly once: boolean;
}

/** Signs every request and writes the list that wrk.lua reads. */
export function writeRequests(file: string, list: RequestList, signer: Signer): void {
  const lines = [list.method, String(list.bodyBytes), list.once ? 'once' : 'cycle', ...signer.common, ''];
  for (const target of list.targets) lines.push(`${target}\t${signer.authorize(list.method, target)}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
}

function numberIn(record: object, name: string): number {
  const value: unknown = Object.entries(record).find(([key]) => key === name)?.[1];
  if (typeof value !== 'number') throw new Error(`wrk's summary holds no ${name}`);
  return value;
}

/** Reads the line that wrk.lua prints at the end. */
export function parseSummary(line: string): WrkRun {
  const summary: unknown = JSON.parse(line);
  if (typeof summary !== 'object' || summary === null) throw new Error('wrk printed no summary');
  return {
    issued: numberIn(summary, 'issued'),
    answered: numberIn(summary, 'requests'),
    seconds: numberIn(summary, 'microseconds') / 1e6,
    p50Ms: numberIn(summary, 'p50') / 1000,
    p99Ms: numberIn(summary, 'p99') / 1000,
    errors: numberIn(summary, 'status') + numberIn(summary, 'socket'),
  };
}

/** lua is not compiled: it stays where it was written. */
const script = join(repository, 'bench', 'drive', 'wrk.lua');

/** One thread of wrk with `clients` connections, for whole `seconds`. */
export function runWrk(port: number, file: string, clients: number, seconds: number): Promise<WrkRun> {
  const args = ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '20s', '-s', script];
  return new Promise((resolve, reject) => {
    const wrk = spawn('wrk', [...args, `http://127.0.0.1:${port}/`, '--', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    const complaints: string[] = [];
    let summary: string | undefined;
    createInterface({ input: wrk.stdout }).on('line', (line) => {
      if (line.startsWith('{')) summary = line;
      // wrk sleeps out its duration even with nothing left to send; the signal ends it with its summary.
      else if (line === 'EXHAUSTED') wrk.kill('SIGINT');
    });
    wrk.stderr.on('data', (text: Buffer) => complaints.push(text.toString()));
    wrk.on('error', (error) => reject(new Error('wrk does not run; on Debian: apt-get install wrk', { cause: error })));
    wrk.on('close', (code) => {
      if (summary === undefined)
        reject(new Error(`wrk ended with ${code} and no summary: ${complaints.join('').trim()}`));
      else resolve(parseSummary(summary));
    });
  });
}
