import { spawn } from 'node:child_process';
import { rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MINUTE } from '../../core/durations.ts';
import { formatBytes } from '../../core/sizes.ts';
import { BackupError } from '../errors.ts';
import { DataFile } from './data-file.ts';
import type { Copied, MdbxSourceOptions } from './options.ts';

/** Time that mdbx_copy may take: while it runs it is a reader, and the environment grows. */
const COPY_LIMIT_MS = 30 * MINUTE;

/**
 * A copy by libmdbx's own tool onto the scratch disk, never straight into an upload, since the environment cannot reuse a
 * page until it ends. As it is, not compacted: page numbers stay, so that increments of either method fit each other.
 * @throws BackupError `method`
 */
export async function copyByTool(
  { path, mdbxCopy, clock }: Pick<MdbxSourceOptions, 'path' | 'mdbxCopy' | 'clock'>,
  target: string,
  signal: AbortSignal | undefined,
  limitMs = COPY_LIMIT_MS,
): Promise<Copied> {
  if (mdbxCopy === undefined) {
    throw new BackupError('method', 'mdbx_copy is not installed', {
      subject: 'mdbx_copy',
      advice: "install libmdbx's tools, of the version that writes the environment, or use --method reader",
    });
  }
  const source = new DataFile(path);
  const identity = source.identity();
  const { meta } = source.head();
  source.close();
  await roomFor(meta.firstUnallocated * meta.pageSize, target);
  const remove = async () => {
    for (const file of [target, `${target}-lck`]) await rm(file, { force: true });
  };
  const time = clock.now();
  try {
    await runCopy(mdbxCopy, path, target, signal, limitMs);
  } catch (error) {
    await remove();
    throw error;
  }
  return { method: 'mdbx_copy', path: target, identity, time, remove };
}

async function roomFor(bytes: number, target: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  if (bavail * bsize >= bytes) return;
  throw new BackupError('method', `the copy needs ${formatBytes(bytes)}, and ${formatBytes(bavail * bsize)} are free`, {
    subject: dirname(target),
    advice: 'point --scratch at a larger disk, or use --method reader, which needs none',
  });
}

function runCopy(
  program: string,
  from: string,
  to: string,
  signal: AbortSignal | undefined,
  limitMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['-q', from, to], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    let late = false;
    child.stderr.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString('utf8')).slice(-500);
    });
    const end = () => child.kill('SIGKILL');
    const timer = setTimeout(() => {
      late = true;
      end();
    }, limitMs);
    signal?.addEventListener('abort', end, { once: true });
    const settle = (code: number | null, cause?: unknown) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      if (code === 0) return resolve();
      const ended = late ? `it took longer than ${limitMs} ms` : code === null ? 'it was ended' : `exit code ${code}`;
      const why = said.trim().replaceAll('\n', ' ') || ended;
      const advice = 'nothing was stored; check the disk of the scratch space, or use --method reader';
      reject(new BackupError('method', `mdbx_copy failed: ${why}`, { subject: from, advice, cause }));
    };
    child.once('error', (error) => settle(null, error));
    child.once('close', (code) => settle(code));
  });
}
