import { spawn } from 'node:child_process';
import { BackupError } from './errors.ts';

/** Commands around a backup, for whoever can quiesce what is backed up. */
export interface Hooks {
  readonly before?: string | undefined;
  /** Runs whatever happened, `before` failing included. */
  readonly after?: string | undefined;
  /** Milliseconds for each. */
  readonly limit: number;
}

const advice = {
  before: 'nothing was stored',
  after: 'what was stored is whole; see to it that what was stopped runs again',
} as const;

/**
 * Runs a hook by the shell, in a process group of its own, ended when it takes too long.
 * @throws BackupError `hook`
 */
export function runHook(name: 'before' | 'after', command: string, limit: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const fail = (why: string, cause?: unknown) =>
      reject(new BackupError('hook', `the ${name} hook ${why}`, { subject: command, advice: advice[name], cause }));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limit);
    child.once('error', (error) => {
      clearTimeout(timer);
      fail('could not be started', error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (late) fail(`took longer than ${limit} ms and was ended`);
      else if (code === 0) resolve();
      else fail(code === null ? `was ended by ${signal}` : `ended with exit code ${code}`);
    });
  });
}

/**
 * Calls `body` between the hooks. `resume` runs `after` early, as soon as the source may go on.
 * @throws BackupError `hook`; what `body` throws comes first
 */
export async function betweenHooks<T>(hooks: Hooks, body: (resume: () => Promise<void>) => Promise<T>): Promise<T> {
  let resumed: Promise<void> | undefined;
  const resume = () => {
    resumed ??= hooks.after === undefined ? Promise.resolve() : runHook('after', hooks.after, hooks.limit);
    return resumed;
  };
  let result: T;
  try {
    if (hooks.before !== undefined) await runHook('before', hooks.before, hooks.limit);
    result = await body(resume);
  } catch (error) {
    // The first failure is the one that is told.
    await resume().catch(() => undefined);
    throw error;
  }
  await resume();
  return result;
}
