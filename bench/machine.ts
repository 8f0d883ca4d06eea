import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** What the numbers depend on beside the code. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly filesystem: string;
  readonly node: string;
  /** Processes wanting the processor, mean of the last minute, before the run; above 1 the machine was not quiet. */
  readonly loadBefore: number;
}

/** @param directory where the servers' data will lie; its file system is the one named */
export function machineFacts(directory: string): Machine {
  const [, filesystem = 'unknown'] = execFileSync('df', ['--output=fstype', directory], { encoding: 'utf8' }).split(
    '\n',
  );
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() || 'unknown',
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    filesystem: filesystem.trim(),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}
