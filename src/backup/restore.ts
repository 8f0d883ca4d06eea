import { lstat, readdir } from 'node:fs/promises';
import { BucketwrightError, systemErrorCode } from '../core/errors.ts';
import { restoreTree, restoringIn } from './directory/restore.ts';
import { BackupError } from './errors.ts';
import { restoreEnvironment } from './mdbx/restore.ts';
import type { Snapshot } from './repository/model.ts';
import type { SourceStore } from './repository/source-store.ts';

export interface RestoreOptions {
  readonly store: SourceStore;
  readonly snapshot: Snapshot;
  /** The directory or file to make. */
  readonly target: string;
  /** Replace what is there. */
  readonly force: boolean;
  /** Whether an interrupted attempt is left to be gone on with, and gone on with. Default: yes. */
  readonly resume?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Restored {
  /** What opens: the data file, or the directory. */
  readonly path: string;
  readonly bytes: number;
  readonly requests: number;
  readonly milliseconds: number;
}

/**
 * Restores a snapshot to a new place. An environment gets its name when it is whole, synced, and was walked page by page;
 * before that nothing is at the target.
 * @throws BackupError `target-exists`, `damaged`, `structure`
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { store, snapshot, target, force, resume = true } = options;
  const began = performance.now();
  const requests = store.storage.requests;
  const there = await lstat(target).catch(() => undefined);
  if (there !== undefined && !force && !(await begunHere(target, snapshot))) {
    throw new BackupError('target-exists', `${target} is there already`, {
      subject: target,
      advice: 'name a new place, or replace what it holds with --force',
    });
  }
  const { content } = snapshot;
  const id = resume ? snapshot.id : undefined;
  const made =
    content.kind === 'mdbx'
      ? restoreEnvironment({ ...options, id, content })
      : restoreTree({ ...options, id, content });
  const result = await made.catch((error: unknown) => Promise.reject(explained(error, target)));
  return {
    ...result,
    requests: store.storage.requests - requests,
    milliseconds: Math.round(performance.now() - began),
  };
}

/** Whether an interrupted restore of the same snapshot left it: then it is gone on with. */
async function begunHere(target: string, { id, content }: Snapshot): Promise<boolean> {
  if (content.kind === 'directory') return (await restoringIn(target)) === id;
  const names = await readdir(target).catch(() => []);
  return names.every((name) => name.startsWith(`.bucketwright-${id}.`)) && names.length > 0;
}

function explained(error: unknown, target: string): unknown {
  const code = systemErrorCode(error);
  if (error instanceof BucketwrightError || code === undefined || !/^E[A-Z]+$/.test(code)) return error;
  return new BackupError('target', `${target} cannot be written (${code === 'ENOSPC' ? 'the disk is full' : code})`, {
    subject: target,
    advice: 'make room, or restore to another place',
    cause: error,
  });
}
