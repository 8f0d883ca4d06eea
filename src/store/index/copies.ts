import { chmod, copyFile, link, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HostError, systemErrorCode } from '../../core/errors.ts';
import { formatBytes } from '../../core/sizes.ts';
import { makeDirectoryDurably, moveDurably, syncDirectory, syncFile, writeFileDurably } from '../../fs/durable.ts';
import { diskSpace } from '../../fs/free-space.ts';
import type { OpenDirectory } from '../check/access.ts';
import { CURRENT_FORMAT, parseFormat } from '../format.ts';
import { type Index, openIndex } from './database.ts';
import { transact } from './transact.ts';

/** LMDB's own names within the index's directory. */
const DATA = 'data.mdb';
const LOCK = 'lock.mdb';
const NEXT_SEGMENT = Buffer.from('next-segment');

export interface CopyResult {
  /** Bytes. */
  readonly before: number;
  readonly after: number;
}

/**
 * Copies the index as it is at one moment, without what deletes have freed. Beside a running server too: the copy is a read
 * transaction, writes go on.
 * @param target a directory that is not there yet
 * @throws HostError `host` when it is there
 */
export async function backupIndex({ directory, index }: OpenDirectory, target: string): Promise<CopyResult> {
  const there = await readdir(target).then(
    () => true,
    (error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    },
  );
  if (there) {
    throw new HostError('host', `${target} is there already`, {
      subject: target,
      advice: 'name a directory that does not exist yet, such as one with the date in its name',
    });
  }
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await makeDirectoryDurably(partial);
  await copyInto(index, partial);
  await writeFileDurably(join(partial, 'FORMAT'), `bucketwright format ${CURRENT_FORMAT}\n`);
  await rename(partial, target);
  await syncDirectory(dirname(target));
  return { before: await sizeOf(join(directory, 'index', DATA)), after: await sizeOf(join(target, DATA)) };
}

/**
 * Writes the index anew, without the room that deletes have freed, and puts it in the old one's place at once. A crash
 * leaves the old one.
 * @throws HostError `host` when the disk has no room for the copy
 */
export async function compactIndex(opened: OpenDirectory): Promise<CopyResult> {
  const { directory, index } = opened;
  const before = await sizeOf(join(directory, 'index', DATA));
  assertRoom(directory, before);
  const fresh = join(directory, 'index.compact');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await copyInto(index, fresh);
  await opened.closeIndex();
  await replaceIndex(directory, join(fresh, DATA));
  await rm(fresh, { recursive: true, force: true });
  return { before, after: await sizeOf(join(directory, 'index', DATA)) };
}

/**
 * Puts a copy that `backupIndex` made in the index's place, and keeps the present index beside it. Bodies are not touched:
 * those of objects that were stored since belong to nobody then, and those of objects deleted since are missing.
 * @returns where the present index is kept
 * @throws HostError `host`, `data-directory-format`
 */
export async function restoreIndex(opened: OpenDirectory, source: string, now: Date): Promise<string> {
  const { directory, index } = opened;
  await assertBackup(source);
  assertRoom(directory, await sizeOf(join(source, DATA)));
  const present = index.counters.get(NEXT_SEGMENT) ?? 1;
  const onDisk = await highestSegment(join(directory, 'bodies'));
  await opened.closeIndex();

  const fresh = join(directory, 'index.restoring');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await copyFile(join(source, DATA), join(fresh, DATA));
  await chmod(join(fresh, DATA), 0o600);
  const restored = openIndex({ directory: fresh, durable: true });
  await transact(restored, () => {
    // Numbers of files are never used twice, and what was stored since the copy has used some.
    const next = Math.max(restored.counters.get(NEXT_SEGMENT) ?? 1, present, onDisk + 1);
    restored.counters.putSync(NEXT_SEGMENT, next);
    // Else the next start would take what was stored in them since for the remains of a crash, and remove it.
    for (const key of [...restored.segments.getKeys()]) restored.segments.removeSync(key);
  });
  await restored.root.close();
  await syncFile(join(fresh, DATA));

  const kept = join(directory, `index.before-restore-${now.toISOString().replace(/[:.]/g, '-')}`);
  await makeDirectoryDurably(kept);
  await link(join(directory, 'index', DATA), join(kept, DATA));
  await writeFileDurably(join(kept, 'FORMAT'), `bucketwright format ${CURRENT_FORMAT}\n`);
  await syncDirectory(kept);
  await replaceIndex(directory, join(fresh, DATA));
  await rm(fresh, { recursive: true, force: true });
  return kept;
}

/** LMDB makes its copy readable by everybody: small objects lie in it. */
async function copyInto(index: Index, target: string): Promise<void> {
  await index.root.backup(target, true);
  await chmod(join(target, DATA), 0o600);
  await syncFile(join(target, DATA));
}

/** One rename. LMDB's lock file belongs to the old file's transactions and is made anew by whoever opens the index next. */
async function replaceIndex(directory: string, data: string): Promise<void> {
  await rm(join(directory, 'index', LOCK), { force: true });
  await moveDurably(data, join(directory, 'index', DATA));
}

async function assertBackup(source: string): Promise<void> {
  const text = await readFile(join(source, 'FORMAT'), 'utf8').catch(() => '');
  const format = parseFormat(text);
  const size = await sizeOf(join(source, DATA));
  if (format === CURRENT_FORMAT && size > 0) return;
  throw new HostError(
    'data-directory-format',
    format === undefined || size === 0
      ? `${source} is no backup of an index`
      : `${source} has format ${format}, this program reads ${CURRENT_FORMAT}`,
    { subject: source, advice: 'name a directory that bucketwright index backup made' },
  );
}

function assertRoom(directory: string, bytes: number): void {
  const { free } = diskSpace(directory);
  if (free > bytes) return;
  throw new HostError('host', `the disk has ${formatBytes(free)} left, the copy may take ${formatBytes(bytes)}`, {
    subject: directory,
    advice: 'make room first',
  });
}

async function highestSegment(bodies: string): Promise<number> {
  const outer = await readdir(bodies).catch(() => []);
  let highest = 0;
  for (const name of outer) {
    if (!/^[0-9a-f]{2}$/.test(name)) continue;
    for (const inner of await readdir(join(bodies, name))) {
      if (/^[0-9a-f]{8}$/.test(inner)) highest = Math.max(highest, Number.parseInt(inner, 16));
    }
  }
  return highest;
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
