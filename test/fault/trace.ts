import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** One system call. It ran entirely between the lines `begin` and `end`: strace notes a call before and after it runs. */
export interface Call {
  readonly name: string;
  /** What the first argument's descriptor, or the argument itself, names: a path, or `TCP:[…]`. */
  readonly target: string;
  readonly descriptor: number | undefined;
  readonly text: string;
  readonly result: number;
  readonly begin: number;
  readonly end: number;
}

const FILE_CALLS = 'openat,open,mkdir,mkdirat,rename,renameat,renameat2';
const WRITE_CALLS = 'write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg';
const SYNC_CALLS = 'fsync,fdatasync,sync_file_range,msync,io_uring_enter';

/**
 * The arguments before a command that trace it. `-D`: strace is its child, so that the process started is the command
 * itself and gets its own signals. `-yy`: descriptors with their paths and connections.
 * @param output file for the trace
 */
export function traceArguments(strace: string, output: string): string[] {
  const calls = [FILE_CALLS, WRITE_CALLS, SYNC_CALLS].join(',');
  return [strace, '-D', '-f', '--seccomp-bpf', '-yy', '-s', '8192', '-e', `trace=${calls}`, '-o', output];
}

/** Waits until the tracer has written the end of process `pid`. */
export async function finishedTrace(path: string, pid: number): Promise<string> {
  const last = new RegExp(`^${pid}\\s+\\+\\+\\+ (exited|killed)`, 'm');
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const text = await readFile(path, 'utf8');
    if (last.test(text.slice(-20_000))) return text;
    await sleep(50);
  }
  throw new Error(`the trace of process ${pid} has no end`);
}

/** The calls of a trace (`strace -f -yy -o`), in the order in which they ended. */
export function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { readonly text: string; readonly begin: number }>();
  for (const [number, line] of text.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const started = resumed === null ? undefined : unfinished.get(thread);
    const begin = started?.begin ?? number;
    const whole = started === undefined ? rest : `${started.text}${resumed?.[1] ?? ''}`;
    if (whole.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { text: whole.slice(0, -'<unfinished ...>'.length), begin });
      continue;
    }
    unfinished.delete(thread);
    const call = parseCall(whole);
    if (call !== undefined) calls.push({ ...call, begin, end: number });
  }
  return calls;
}

function parseCall(text: string): Omit<Call, 'begin' | 'end'> | undefined {
  const [, name = '', argument = ''] = /^(\w+)\((.*)$/.exec(text) ?? [];
  const result = /\)\s+= (-?\d+)[^"]*$/.exec(text)?.[1];
  if (name === '' || result === undefined) return undefined;
  const path = /^(?:AT_FDCWD(?:<[^>]*>)?, )?"([^"]*)"/.exec(argument)?.[1];
  const [, descriptor, described = ''] = /^(\d+)(?:<(.*?)>(?=\s*[,)]))?/.exec(argument) ?? [];
  return {
    name,
    target: path ?? described,
    descriptor: descriptor === undefined ? undefined : Number(descriptor),
    text,
    result: Number(result),
  };
}
