import { readFileSync, readlinkSync } from 'node:fs';
import { systemErrorCode } from '../core/errors.ts';

/** A process as it is written into files that outlive it. */
interface Process {
  readonly pid: number;
  /** So that a recycled pid does not count. */
  readonly started: string;
  readonly namespace: string;
}

/** This process, as text that another one can judge with `isRunning`. */
export function processIdentity(): string {
  return identityText(self());
}

/** The identity of another process of this machine and pid namespace; undefined when it is gone. */
export function identityOf(pid: number): string | undefined {
  const started = startTime(pid);
  return started === undefined ? undefined : identityText({ pid, started, namespace: pidNamespace() });
}

/** Whether the process of an identity still runs. `elsewhere`: another pid namespace or boot, where it cannot be seen. */
export function isRunning(identity: string): boolean | 'elsewhere' {
  const process = parseIdentity(identity);
  if (process === undefined) return false;
  if (process.namespace !== self().namespace) return 'elsewhere';
  return startTime(process.pid) === process.started;
}

export function pidOf(identity: string): number | undefined {
  return parseIdentity(identity)?.pid;
}

function identityText({ pid, started, namespace }: Process): string {
  return JSON.stringify({ pid, started, namespace });
}

function parseIdentity(content: string): Process | undefined {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('pid' in value) || !('started' in value) || !('namespace' in value)) return undefined;
    const { pid, started, namespace } = value;
    if (typeof pid !== 'number' || typeof started !== 'string' || typeof namespace !== 'string') return undefined;
    return { pid, started, namespace };
  } catch {
    return undefined;
  }
}

function self(): Process {
  return { pid: process.pid, started: startTime(process.pid) ?? '', namespace: pidNamespace() };
}

/** Boot-relative start time of a process (proc(5), field 22 of stat); undefined when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    // A zombie still has its entry but holds nothing any more.
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || process.platform === 'linux') return undefined;
    return livePid(pid);
  }
}

/** Where there is no /proc (macOS), a live pid is all that can be asked. */
function livePid(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
    return '';
  } catch (error) {
    return systemErrorCode(error) === 'EPERM' ? '' : undefined;
  }
}

function pidNamespace(): string {
  try {
    return `${readlinkSync('/proc/self/ns/pid')} ${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`;
  } catch {
    return process.platform;
  }
}
