import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { watchMemory } from '../measure/memory.ts';

/** What one run of a program took. */
export interface Measured {
  readonly seconds: number;
  /** Of it and all that it started, user and system. Sampled: up to a tenth of a second short. */
  readonly cpuSeconds: number;
  /** The greatest resident set, bytes. */
  readonly rss: number;
  readonly stdout: string;
}

const TICKS = 100;

function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // user and system, its own and those of children that it has waited for
    return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
  } catch {
    return 0;
  }
}

/** CPU seconds of a process and its children until now. */
export const cpuOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + ticksOf(pid) / TICKS + cpuOf(childrenOf(pid)), 0);

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

export interface MeasureOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Ends it after so many seconds, with SIGTERM; that is then no failure. */
  readonly seconds?: number;
  readonly limitSeconds?: number;
}

/** Runs a program to its end. @throws Error with what it said, where it fails or takes longer than the limit */
export function measure(command: string, args: readonly string[], options: MeasureOptions = {}): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(command, args, {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const pids = child.pid === undefined ? [] : [child.pid];
    const memory = watchMemory(pids);
    let [stdout, stderr, cpu] = ['', '', 0];
    const sampler = setInterval(() => {
      cpu = Math.max(cpu, cpuOf(pids));
    }, 50);
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString('utf8');
    });
    child.stderr.on('data', (bytes: Buffer) => {
      stderr = (stderr + bytes.toString('utf8')).slice(-2000);
    });
    const ending = setTimeout(() => child.kill('SIGTERM'), (options.seconds ?? 1e6) * 1000);
    const limit = setTimeout(() => child.kill('SIGKILL'), (options.limitSeconds ?? 900) * 1000);
    const settle = () => {
      for (const timer of [sampler, ending, limit]) clearTimeout(timer);
      return memory.stop().resident;
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (code) => {
      const rss = settle();
      const seconds = (performance.now() - began) / 1000;
      const ended = options.seconds !== undefined && seconds >= options.seconds;
      if (code === 0 || ended) resolve({ seconds, cpuSeconds: cpu, rss, stdout });
      else reject(new Error(`${command} ${args.slice(0, 3).join(' ')} ended with ${String(code)}: ${stderr.trim()}`));
    });
  });
}
