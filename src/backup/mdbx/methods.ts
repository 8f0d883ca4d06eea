import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { BackupError } from '../errors.ts';
import { type Base, type Captured, capture } from './capture.ts';
import { DataFile, lockFilePath } from './data-file.ts';
import { holdersOf } from './holders.ts';

/** `auto`: mdbx_copy for a whole snapshot where it is installed, our own reader else and for increments. */
export type Method = 'auto' | UsedMethod;
export type UsedMethod = 'mdbx_copy' | 'reader' | 'offline';

export interface MethodOptions {
  readonly path: string;
  readonly scratch: string;
  readonly method: Method;
  readonly base: Base | undefined;
  readonly mdbxCopy: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Time that mdbx_copy may take: while it runs it is a reader, and the environment grows. */
const COPY_LIMIT_MS = 30 * 60_000;

/** @throws BackupError `method`, and what `capture` throws */
export async function captureBy(options: MethodOptions): Promise<{ captured: Captured; method: UsedMethod }> {
  const { path, scratch, base, signal } = options;
  const reader = async () => ({ captured: await capture(path, { scratch, base, signal }), method: 'reader' as const });
  const copy = async () => ({ captured: await byMdbxCopy(options), method: 'mdbx_copy' as const });
  switch (options.method) {
    case 'reader':
      return reader();
    case 'mdbx_copy':
      return copy();
    case 'offline': {
      const holders = await holdersOf(lockFilePath(path));
      if (holders.length > 0) {
        throw new BackupError('method', `${path} is open in process ${holders.join(', ')}`, {
          subject: path,
          advice: 'stop it first, or use --method reader',
        });
      }
      return { ...(await reader()), method: 'offline' };
    }
    case 'auto':
      if (base === undefined && options.mdbxCopy !== undefined) return copy();
      try {
        return await reader();
      } catch (error) {
        const other = error instanceof BackupError && (error.code === 'not-converged' || error.code === 'method');
        if (!other || options.mdbxCopy === undefined) throw error;
        return copy();
      }
  }
}

/**
 * A copy by libmdbx's own tool onto the scratch disk, never straight into an upload, since the environment cannot reuse a
 * page until it ends. As it is, not compacted: page numbers stay, so that increments of either method fit each other.
 */
async function byMdbxCopy(options: MethodOptions): Promise<Captured> {
  const { path, scratch, mdbxCopy, signal } = options;
  if (mdbxCopy === undefined) {
    throw new BackupError('method', 'mdbx_copy is not installed', {
      subject: 'mdbx_copy',
      advice: "install libmdbx's tools, of the version that writes the environment, or use --method reader",
    });
  }
  const copied = `${scratch}.whole`;
  const source = new DataFile(path);
  const identity = source.identity();
  source.close();
  try {
    await runCopy(mdbxCopy, path, copied, signal);
    const whole = new DataFile(copied);
    const base = options.base?.file === identity ? { ...options.base, file: whole.identity() } : undefined;
    whole.close();
    const captured = await capture(copied, { scratch, base, passes: 1, signal });
    return { ...captured, identity };
  } finally {
    await rm(copied, { force: true });
    await rm(`${copied}-lck`, { force: true });
  }
}

function runCopy(program: string, from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['-q', from, to], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString('utf8')).slice(-500);
    });
    const end = () => child.kill('SIGKILL');
    const timer = setTimeout(end, COPY_LIMIT_MS);
    signal?.addEventListener('abort', end, { once: true });
    const settle = (code: number | null, cause?: unknown) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (code === 0) return resolve();
      const why = said.trim().replaceAll('\n', ' ') || (code === null ? 'it was ended' : `exit code ${code}`);
      const advice = 'nothing was stored; check the disk of the scratch space, or use --method reader';
      reject(new BackupError('method', `mdbx_copy failed: ${why}`, { subject: from, advice, cause }));
    };
    child.once('error', (error) => settle(null, error));
    child.once('close', (code) => settle(code));
  });
}
