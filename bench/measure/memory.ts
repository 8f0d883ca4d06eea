import { readFileSync } from 'node:fs';
import { childrenOf } from './processes.ts';

/** Memory of a process tree now, in bytes. `file` is mapped files, such as an LMDB index, which the kernel can drop. */
export interface Memory {
  readonly resident: number;
  readonly file: number;
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
}

/** Sums over the processes and all their descendants; a process that is gone counts nothing. */
export function memoryOf(pids: readonly number[]): Memory {
  let resident = 0;
  let file = 0;
  for (const pid of pids) {
    let status = '';
    try {
      status = readFileSync(`/proc/${pid}/status`, 'utf8');
    } catch {
      continue;
    }
    const below = memoryOf(childrenOf(pid));
    resident += field(status, 'VmRSS') + below.resident;
    file += field(status, 'RssFile') + below.file;
  }
  return { resident, file };
}

/** Samples ten times a second until stopped; answers the greatest resident set and the file part of that sample. */
export function watchMemory(pids: readonly number[]): { stop(): Memory } {
  let peak = memoryOf(pids);
  const look = (): void => {
    const now = memoryOf(pids);
    if (now.resident > peak.resident) peak = now;
  };
  const timer = setInterval(look, 100);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}
