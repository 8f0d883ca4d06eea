import { readFileSync } from 'node:fs';
import { childrenOf } from './processes.ts';

/** Linux counts in hundredths of a second, whatever its timer's frequency (proc(5), USER_HZ). */
const TICK_MS = 10;

/**
 * Milliseconds of processor time, in user and kernel mode, that processes and their descendants have used so far. What a
 * server needs for a request holds better on a busy machine than what it does in a second.
 */
export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ownCpu(pid) + cpuOf(childrenOf(pid)), 0);
}

function ownCpu(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold spaces. After it: state is field 3, utime 14, stime 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}
