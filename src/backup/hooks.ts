import { spawn } from 'node:child_process';
import { BackupError } from './errors.ts';

/**
 * Runs a hook by the shell, in a process group of its own, ended when it takes too long.
 * @param limit milliseconds
 * @throws BackupError `hook`
 */
export function runHook(name: 'before' | 'after', command: string, limit: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const fail = (why: string, cause?: unknown) =>
      reject(
        new BackupError('hook', `the ${name} hook ${why}`, { subject: command, advice: 'nothing was stored', cause }),
      );
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limit);
    child.once('error', (error) => {
      clearTimeout(timer);
      fail('could not be started', error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else fail(code === null ? `was ended by ${signal}` : `ended with exit code ${code}`);
    });
  });
}
