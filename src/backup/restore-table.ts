import { lstat } from 'node:fs/promises';
import { beginFile } from '../fs/file-in-progress.ts';
import { BackupError } from './errors.ts';
import { snapshotPages } from './layers/pages.ts';
import { dumpTable, tableNames } from './mdbx/dump.ts';
import { metaOf } from './mdbx/restore.ts';
import type { Snapshot } from './repository/model.ts';
import type { SourceStore } from './repository/source-store.ts';

export interface RestoreTableOptions {
  readonly store: SourceStore;
  readonly snapshot: Snapshot;
  /** A named table of the environment. */
  readonly table: string;
  /** The file to make. */
  readonly target: string;
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** How much text is gathered for one write. */
const PART = 1 << 20;

/**
 * Writes one table of a snapshot as text that libmdbx's mdbx_load reads. Only the pages that it needs are fetched.
 * @returns bytes of the file
 * @throws BackupError `target-exists`, `no-such-snapshot` where it has no such table, `damaged`
 */
export async function restoreTable(options: RestoreTableOptions): Promise<number> {
  const { store, snapshot, table, target, force, signal } = options;
  const { content } = snapshot;
  if (content.kind !== 'mdbx') {
    throw new BackupError('no-such-snapshot', `${snapshot.source} is a directory: it has no tables`, {
      subject: snapshot.source,
      advice: 'leave --table out',
    });
  }
  if (!force && (await lstat(target).catch(() => undefined)) !== undefined) {
    throw new BackupError('target-exists', `${target} is there already`, {
      subject: target,
      advice: 'name a new file, or replace it with --force',
    });
  }
  const meta = metaOf(content);
  const pages = await snapshotPages(store, content);
  const lines = await dumpTable(pages, meta, table);
  if (lines === undefined) {
    const names: string[] = [];
    for await (const name of tableNames(pages, meta)) names.push(name);
    const some = names.slice(0, 10).join(', ');
    throw new BackupError('no-such-snapshot', `${snapshot.source} has no table ${table}`, {
      subject: table,
      advice: names.length === 0 ? 'it has no named table' : `it has ${some}${names.length > 10 ? ' and more' : ''}`,
    });
  }
  const file = await beginFile(target, async () => undefined, 0o600);
  try {
    let at = 0;
    let text = '';
    const flush = async () => {
      const bytes = Buffer.from(text, 'utf8');
      await file.write(bytes, at);
      at += bytes.length;
      text = '';
    };
    for await (const line of lines) {
      signal?.throwIfAborted();
      text += line;
      if (text.length >= PART) await flush();
    }
    await flush();
    await file.commit();
    return at;
  } catch (error) {
    await file.discard();
    throw error;
  }
}
