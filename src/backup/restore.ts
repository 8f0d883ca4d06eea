import { lstat } from 'node:fs/promises';
import { restoreTree } from './directory/restore.ts';
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
  const { store, snapshot, target, force } = options;
  const began = performance.now();
  const requests = store.storage.requests;
  const there = await lstat(target).catch(() => undefined);
  if (there !== undefined && !force) {
    throw new BackupError('target-exists', `${target} is there already`, {
      subject: target,
      advice: 'name a new place, or replace what it holds with --force',
    });
  }
  const { content } = snapshot;
  const result =
    content.kind === 'mdbx'
      ? await restoreEnvironment({ ...options, content })
      : await restoreTree({ ...options, content });
  return {
    ...result,
    requests: store.storage.requests - requests,
    milliseconds: Math.round(performance.now() - began),
  };
}
