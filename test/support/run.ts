import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  /** Replaces the environment; start from `process.env` to add to it. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Uint8Array;
  /** After this the child's process group is killed and the run fails. Default 60,000 ms. */
  readonly timeoutMs?: number;
  /** Exit codes that are no failure. Default: only 0. */
  readonly allow?: readonly number[];
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

/** A program that could not start, ran too long, died of a signal or answered an exit code nobody allowed. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

const kept = 4_000;
const tail = (text: string) => (text.length > kept ? `…${text.slice(-kept)}` : text);

/**
 * Runs a program to its end. It leads a process group of its own, so that a time limit ends what it started too, and
 * nothing else. Standard input is closed unless `input` is given: no client may wait for an answer.
 *
 * @throws {CommandFailed} with the end of both outputs.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeoutMs = 60_000, allow = [0] } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) killGroup(child.pid);
    }, timeoutMs);
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
    // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
    const fail = (what: string, stdout = '', stderr = '') =>
      reject(new CommandFailed(`${command} ${args.join(' ')}\n${what}\n${tail(stdout)}\n${tail(stderr)}`.trimEnd()));
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const stdoutBytes = Buffer.concat(out);
      const stdout = stdoutBytes.toString('utf8');
      const stderr = Buffer.concat(err).toString('utf8');
      if (timedOut) return fail(`took longer than ${timeoutMs} ms and was killed`, stdout, stderr);
      if (code === null) return fail(`ended by ${signal}`, stdout, stderr);
      if (!allow.includes(code)) return fail(`exit code ${code}`, stdout, stderr);
      resolve({ code, stdout, stdoutBytes, stderr });
    });
  });
}

/** SIGKILL to the process group that a child of ours leads; one that is already gone is no error. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
