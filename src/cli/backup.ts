import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import {
  BackupError,
  type Opener,
  Repository,
  type RepositoryPlace,
  type Snapshot,
  type SourceStore,
  sourcePattern,
} from '../backup/index.ts';
import { createClient } from '../client/index.ts';
import { formatDuration, parseDuration } from '../core/durations.ts';
import { UsageError } from '../core/errors.ts';
import { formatBytes } from '../core/sizes.ts';
import { believes, resolveConnection } from '../providers/index.ts';
import type { Settings } from '../settings/index.ts';
import { type CliContext, loadSettings, noun } from './context.ts';

export const backupCommand = (program: Command, verb: string): Command =>
  noun(program, 'backup', 'Backups of MDBX environments and directories, on any S3.').command(verb);

/**
 * Calls `body` with where backups go and what opens them.
 * @throws SettingsError, UsageError
 */
export async function withPlace<T>(
  command: Command,
  context: CliContext,
  body: (place: RepositoryPlace, opener: Opener, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = loadSettings(command, context);
  const { storage, buckets, backupLock } = settings;
  if (storage.kind !== 's3') {
    throw new UsageError('backups need an S3 endpoint', {
      subject: 'S3_ENDPOINT',
      advice: 'set S3_ENDPOINT with its keys; to try it on one machine: bucketwright up',
    });
  }
  const opener = openerOf(settings);
  const connection = resolveConnection(storage);
  const client = createClient(connection, { sockets: 16 });
  try {
    const { bucket, prefix } = buckets.backup;
    const conditionalPut = believes(connection.provider, 'put-if-absent', false);
    return await body({ client, bucket, prefix, conditionalPut, lock: backupLock }, opener, settings);
  } finally {
    client.close();
  }
}

function openerOf({ backupPassphrase, backupKey }: Settings): Opener {
  if (backupPassphrase !== undefined && backupKey !== undefined) {
    throw new UsageError('both a passphrase and a key are set for the backup repository', {
      subject: 'BUCKETWRIGHT_BACKUP_KEY',
      advice: 'unset one of BUCKETWRIGHT_BACKUP_PASSPHRASE and BUCKETWRIGHT_BACKUP_KEY (and their _FILE)',
    });
  }
  if (backupPassphrase !== undefined) return { kind: 'passphrase', secret: backupPassphrase };
  if (backupKey !== undefined) return { kind: 'key', secret: backupKey };
  throw new UsageError('backups are encrypted, and no passphrase is set', {
    subject: 'BUCKETWRIGHT_BACKUP_PASSPHRASE',
    advice: 'set BUCKETWRIGHT_BACKUP_PASSPHRASE_FILE to a file that holds it',
  });
}

/** @throws BackupError `no-repository`, `wrong-key` */
export function withRepository<T>(
  command: Command,
  context: CliContext,
  body: (repository: Repository, settings: Settings) => Promise<T>,
): Promise<T> {
  return withPlace(command, context, async (place, opener, settings) =>
    body(await Repository.open(place, opener), settings),
  );
}

/** That of the name, or all. */
export async function storesOf(repository: Repository, source: string | undefined): Promise<readonly SourceStore[]> {
  return source === undefined ? repository.sources() : [repository.source(source)];
}

/**
 * The snapshot that is meant: by the first letters of its id, as it was at a time, or the newest. Only that one is read.
 * @throws BackupError `no-such-snapshot`, `damaged`
 */
export async function findSnapshot(
  store: SourceStore,
  { snapshot: id, at }: { readonly snapshot?: string | undefined; readonly at?: number | undefined },
): Promise<Snapshot> {
  for await (const name of store.names()) {
    if (id !== undefined && !name.id.startsWith(id)) continue;
    if (at !== undefined && name.time > at) continue;
    const snapshot = await store.readSnapshot(name);
    if (snapshot !== undefined) return snapshot;
  }
  const asked = [
    id === undefined ? '' : ` ${id}`,
    at === undefined ? '' : ` at or before ${new Date(at).toISOString()}`,
  ];
  throw new BackupError('no-such-snapshot', `${store.source} has no snapshot${asked.join('')}`, {
    subject: store.source,
    advice: 'bucketwright backup list shows what there is',
  });
}

export function sourceName(text: string): string {
  if (sourcePattern.test(text)) return text;
  throw new InvalidArgumentError('must be letters, digits, dots, dashes and underscores, at most 64.');
}

export function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined || value === 0) throw new InvalidArgumentError('must be a duration such as 30s or 1h.');
  return value;
}

export function moment(text: string): number {
  const value = Date.parse(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('must be a time such as 2026-11-24T03:00:00Z.');
  return value;
}

export function whole(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
}

export const isoTime = (time: number): string => new Date(time).toISOString().slice(0, 19).replace('T', ' ');

/** For `--json`: what people ask of a snapshot. */
export const snapshotFacts = (snapshot: Snapshot) => ({
  id: snapshot.id,
  source: snapshot.source,
  time: new Date(snapshot.time).toISOString(),
  host: snapshot.host,
  path: snapshot.path,
  ...(snapshot.set === undefined ? {} : { set: snapshot.set.name, setId: snapshot.set.id }),
  kind: snapshot.content.kind,
  method: snapshot.method,
  ...(snapshot.content.kind === 'mdbx'
    ? {
        transaction: snapshot.content.txnid,
        pageSize: snapshot.content.pageSize,
        layers: snapshot.content.layers.length,
      }
    : {}),
  readBytes: snapshot.read,
  newBytes: snapshot.added.raw,
  storedBytes: snapshot.added.stored,
  milliseconds: snapshot.took,
});

/** A program on the PATH of this process. */
export function installed(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** One line of what was stored, for people or machines. */
export function reportStored(snapshot: Snapshot, json: boolean, context: CliContext): void {
  if (json) {
    context.out.write(`${JSON.stringify(snapshotFacts(snapshot))}\n`);
    return;
  }
  const { content, added, read, took, method } = snapshot;
  const what =
    content.kind === 'mdbx'
      ? `transaction ${content.txnid}, ${content.layers.length === 1 ? 'whole' : `in ${content.layers.length} layers`}`
      : 'directory';
  context.out.write(
    `stored  ${snapshot.source} ${snapshot.id}  ${what}  by ${method}: read ${formatBytes(read)}, ${formatBytes(added.raw)} new, ${formatBytes(added.stored)} stored, in ${formatDuration(took)}\n`,
  );
}
