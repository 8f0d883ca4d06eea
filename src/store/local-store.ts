import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { type Logger, silentLogger } from '../core/logger.ts';
import { KiB, MiB } from '../core/sizes.ts';
import { makeDirectoryDurably, syncDirectory } from '../fs/durable.ts';
import { type DirectoryLock, takeLock } from '../fs/lock-file.ts';
import { Ballast } from './ballast.ts';
import { BodyReferences } from './body/bodies.ts';
import { type BodyThreads, createBodyThreads } from './body/body-threads.ts';
import { Budget } from './body/budget.ts';
import { SharedPins } from './body/pins.ts';
import { ReadBuffers } from './body/read-buffers.ts';
import { Segments } from './body/segments.ts';
import { Trash } from './body/trash.ts';
import { BodyWriter } from './body/writer.ts';
import { BucketTable } from './buckets.ts';
import { BucketConfigurations } from './configuration.ts';
import { setBucketConfiguration } from './configure.ts';
import type { Engine } from './engine.ts';
import { StoreError } from './errors.ts';
import { prepareFormat } from './format.ts';
import { Committer } from './index/committer.ts';
import { type Index, openIndex } from './index/database.ts';
import { transact } from './index/transact.ts';
import { UsageCounters } from './index/usage.ts';
import type { LifecycleReport } from './lifecycle/report.ts';
import { LifecycleSchedule } from './lifecycle/schedule.ts';
import { Maintenance } from './maintenance.ts';
import { completeUpload } from './multipart/complete.ts';
import { listUploads } from './multipart/list-uploads.ts';
import { abortUpload, createUpload, describeUpload, listParts, putPart, requireUpload } from './multipart/uploads.ts';
import { changeObject } from './object/change.ts';
import { copyObject } from './object/copy.ts';
import { deleteObject } from './object/delete.ts';
import { listObjects } from './object/list.ts';
import { listVersions } from './object/list-versions.ts';
import { putObject } from './object/put.ts';
import { objectInfo, openInMemory, openObject } from './object/read.ts';
import type { InstantReads, ObjectStore, StoreHealth } from './port.ts';
import { removeOrphans, segmentOwner, waitForFormerOwners } from './recovery.ts';
import { SpaceGuard } from './space.ts';

export interface LocalStoreOptions {
  /** Made if it is not there. */
  readonly directory: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** False acknowledges writes before the disk has them. */
  readonly durable?: boolean;
  /** Bodies up to this many bytes live in the index; measured in docs/decisions/0002-inline-bodies.md. */
  readonly inlineLimit?: number;
  /** Threads that write and digest large bodies; 0: the calling thread. */
  readonly bodyThreads?: number;
  /** Milliseconds after which an upload that was not completed is aborted. */
  readonly abandonedUploadAge?: number;
  readonly minPartSize?: number;
  /** Files a body directory takes. */
  readonly filesPerSegment?: number;
  /** Milliseconds that lifecycle rules take for a day; any but a real one is for tests. */
  readonly lifecycleDay?: number;
  /** Told of every lifecycle run. */
  readonly observeLifecycle?: (report: LifecycleReport) => void;
  /** One of several processes on the same directory. Default: the only one. */
  readonly group?: GroupPlace;
  /** Told of every commit: how long it took until it was durable, in milliseconds, and how many changes it held. */
  readonly observeCommit?: (milliseconds: number, changes: number) => void;
  /** Told once when the disk has failed under the index: the store is closed, and only a new process can open it again. */
  readonly onBroken?: (failure: StoreError) => void;
}

/**
 * `first` holds the directory's lock, recovers it and looks after it, and must be open as long as any `member` is. Members
 * are opened after it.
 */
export interface GroupPlace {
  readonly role: 'first' | 'member';
  /** How many processes share the memory that one would take. */
  readonly processes: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Bytes that all uploads together may have on their way to the disk. */
const UPLOAD_MEMORY = 32 * MiB;

/**
 * Opens the embedded object engine on a data directory.
 * @throws HostError `data-directory-held`, `data-directory-format`
 */
export async function openLocalStore(options: LocalStoreOptions): Promise<LocalStore> {
  const { directory } = options;
  const logger = options.logger ?? silentLogger;
  if (options.group?.role === 'member') return assemble(options, logger, undefined);
  await makeDirectoryDurably(directory);
  const lock = await takeLock(join(directory, 'LOCK'));
  try {
    await prepareFormat(directory, logger);
    return await assemble(options, logger, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Makes the directory as it must be before anything is read or written in it. For the holder of its lock. */
async function recover(directory: string, index: Index, pins: SharedPins, logger: Logger): Promise<void> {
  // LMDB syncs what it writes into its file, not the file's name in a new directory.
  await syncDirectory(join(directory, 'index'));
  await syncDirectory(directory);
  await waitForFormerOwners(directory, index);
  await pins.clear();
  const orphans = await removeOrphans(directory, index);
  if (orphans > 0) logger.info({ orphans }, 'removed files of writes that had not been acknowledged');
}

/** @param lock undefined for a member of a group */
async function assemble(
  options: LocalStoreOptions,
  logger: Logger,
  lock: DirectoryLock | undefined,
): Promise<LocalStore> {
  const { directory, group } = options;
  const durable = options.durable ?? true;
  const clock = options.clock ?? systemClock;
  const inlineLimit = options.inlineLimit ?? 32 * KiB;
  const share = group?.processes ?? 1;
  await mkdir(join(directory, 'bodies'), { recursive: true, mode: 0o700 });
  const index = openIndex({ directory: join(directory, 'index'), durable });
  const pins = new SharedPins(directory);
  if (lock !== undefined) await recover(directory, index, pins, logger);
  const owner = segmentOwner(directory);
  const first = await transact(index, () => Segments.allocate(index, owner));

  const usage = new UsageCounters(index);
  const configurations = new BucketConfigurations(index);
  const trash = new Trash(directory, index, group === undefined ? undefined : pins);
  const ballast = new Ballast(directory);
  if (lock !== undefined) await ballast.hold();
  // These need the committer and its hooks need them: the hooks look them up when they run.
  const later: { segments?: Segments; buckets?: BucketTable } = {};
  const committer = new Committer(index, {
    beforeCommit() {
      usage.write();
      trash.writeUnlinked();
      trash.closed(later.segments?.writeClosed() ?? []);
    },
    afterCommit: (isDurable) => trash.committed(isDurable),
    makeRoom: () => ballast.release(),
    broken(failure) {
      later.buckets?.close();
      options.onBroken?.(failure);
    },
    ...(options.observeCommit !== undefined && { observe: options.observeCommit }),
  });
  const segments = new Segments({
    directory,
    index,
    committer,
    first,
    owner,
    filesEach: options.filesPerSegment ?? 1024,
  });
  later.segments = segments;
  const buckets = new BucketTable(index, usage, configurations);
  later.buckets = buckets;
  const threads = createBodyThreads(options.bodyThreads ?? defaultBodyThreads(share));
  const engine: Engine = {
    directory,
    index,
    committer,
    usage,
    references: new BodyReferences(index, segments, trash),
    writer: new BodyWriter({
      directory,
      segments,
      threads,
      budget: new Budget(UPLOAD_MEMORY / share),
      inlineLimit,
      durable,
    }),
    readBuffers: new ReadBuffers(share),
    trash,
    ballast,
    inlineLimit,
    buckets,
    configurations,
    space: new SpaceGuard(directory, index),
    clock,
    logger,
    minPartSize: options.minPartSize ?? 5 * MiB,
  };
  const maintenance = new Maintenance(engine, {
    abandonedUploadAge: options.abandonedUploadAge ?? 7 * DAY_MS,
    interval: 60_000,
  });
  if (options.lifecycleDay !== undefined && options.lifecycleDay !== DAY_MS && lock !== undefined) {
    logger.warn({ milliseconds: options.lifecycleDay }, 'lifecycle rules take this for a day: objects go early');
  }
  const lifecycle = new LifecycleSchedule(engine, {
    dayLength: options.lifecycleDay ?? DAY_MS,
    observe: options.observeLifecycle,
  });
  if (lock !== undefined) {
    trash.recover();
    maintenance.start();
    lifecycle.start();
  }
  return new LocalStore(engine, { segments, threads, maintenance, lifecycle, pins, lock });
}

/** Worker threads exist only as compiled files; run from source (in unit tests), bodies stay on this thread. */
function defaultBodyThreads(processes: number): number {
  return import.meta.url.endsWith('.ts') ? 0 : Math.max(1, Math.floor(2 / processes));
}

interface Parts {
  readonly segments: Segments;
  readonly threads: BodyThreads;
  readonly maintenance: Maintenance;
  readonly lifecycle: LifecycleSchedule;
  readonly pins: SharedPins;
  readonly lock: DirectoryLock | undefined;
}

/** The embedded engine: an LMDB index and immutable body files. */
export class LocalStore implements ObjectStore {
  readonly capabilities = { conditionalWrites: true, tags: true };
  readonly #engine: Engine;
  readonly #parts: Parts;

  constructor(engine: Engine, parts: Parts) {
    this.#engine = engine;
    this.#parts = parts;
  }

  readonly instant: InstantReads = {
    bucket: (name) => this.#engine.buckets.info(name),
    bucketConfiguration: (bucket, kind) => this.#engine.buckets.configuration(bucket, kind),
    objectInfo: (bucket, key, versionId) => objectInfo(this.#engine, bucket, key, versionId),
    openObject: (bucket, key, versionId) => openInMemory(this.#engine, bucket, key, versionId),
  };

  createBucket: ObjectStore['createBucket'] = (request) =>
    this.#engine.buckets.create(this.#engine.committer, request, this.#engine.clock.now());
  bucket: ObjectStore['bucket'] = async (name) => this.#engine.buckets.info(name);
  buckets: ObjectStore['buckets'] = async () => this.#engine.buckets.all();
  deleteBucket: ObjectStore['deleteBucket'] = (name) => this.#engine.buckets.delete(this.#engine.committer, name);
  bucketConfiguration: ObjectStore['bucketConfiguration'] = async (bucket, kind) =>
    this.#engine.buckets.configuration(bucket, kind);
  setVersioning: ObjectStore['setVersioning'] = (bucket, status) =>
    this.#engine.buckets.setVersioning(this.#engine.committer, bucket, status);
  setObjectLock: ObjectStore['setObjectLock'] = (bucket, lock) =>
    this.#engine.buckets.setObjectLock(this.#engine.committer, bucket, lock);
  setBucketConfiguration: ObjectStore['setBucketConfiguration'] = (bucket, kind, value) =>
    setBucketConfiguration(this.#engine, bucket, kind, value);

  putObject: ObjectStore['putObject'] = (request) => putObject(this.#engine, request);
  openObject: ObjectStore['openObject'] = (bucket, key, versionId) => openObject(this.#engine, bucket, key, versionId);
  objectInfo: ObjectStore['objectInfo'] = async (bucket, key, versionId) =>
    objectInfo(this.#engine, bucket, key, versionId);
  deleteObject: ObjectStore['deleteObject'] = async (request) => deleteObject(this.#engine, request);
  copyObject: ObjectStore['copyObject'] = (request) => copyObject(this.#engine, request);
  changeObject: ObjectStore['changeObject'] = async (request) => changeObject(this.#engine, request);
  listObjects: ObjectStore['listObjects'] = async (request) => listObjects(this.#engine, request);
  listVersions: ObjectStore['listVersions'] = async (request) => listVersions(this.#engine, request);

  createUpload: ObjectStore['createUpload'] = (request) => createUpload(this.#engine, request);
  upload: ObjectStore['upload'] = async (bucket, key, uploadId) => {
    const { id, record } = requireUpload(this.#engine, bucket, key, uploadId);
    return describeUpload(bucket, key, id, record);
  };
  putPart: ObjectStore['putPart'] = (request) => putPart(this.#engine, request);
  listParts: ObjectStore['listParts'] = async (request) => listParts(this.#engine, request);
  listUploads: ObjectStore['listUploads'] = async (request) => listUploads(this.#engine, request);
  completeUpload: ObjectStore['completeUpload'] = (request) => completeUpload(this.#engine, request);
  abortUpload: ObjectStore['abortUpload'] = (bucket, key, uploadId) => abortUpload(this.#engine, bucket, key, uploadId);

  usage: ObjectStore['usage'] = async () =>
    Array.from(this.#engine.buckets.entries(), ([bucket, { id }]) => ({ bucket, ...this.#engine.usage.read(id) }));

  async health(): Promise<StoreHealth> {
    const probe = join(this.#engine.directory, 'probe');
    let diskFreeBytes = 0;
    try {
      this.#engine.committer.assertOpen();
      diskFreeBytes = this.#engine.space.free();
      await writeFile(probe, 'bucketwright');
      await rm(probe, { force: true });
      this.#engine.space.assertRoom(0, 'index');
      return { writable: true, reason: undefined, diskFreeBytes };
    } catch (error) {
      const reason =
        error instanceof StoreError ? error.message : `the data directory is not writable: ${String(error)}`;
      return { writable: false, reason, diskFreeBytes };
    }
  }

  /** One round of what runs by itself every minute; for tests and the command line. */
  maintain(): Promise<void> {
    return this.#parts.maintenance.run();
  }

  /** Carries out every bucket's lifecycle rules now. */
  runLifecycle(): Promise<readonly LifecycleReport[]> {
    return this.#parts.lifecycle.run();
  }

  /** Of each bucket, the last lifecycle run of this process that removed something. */
  lifecycleReports(): readonly LifecycleReport[] {
    return this.#parts.lifecycle.reports;
  }

  /**
   * Of the first process: clears up behind a member that has died.
   * @param identity what the member was, `identityOf` its pid, taken while it ran
   */
  async forgetMember(pid: number, identity: string): Promise<void> {
    const { directory, index, logger, trash, committer } = this.#engine;
    // Otherwise the pages that its reads held would never be used again.
    index.root.readerCheck();
    await this.#parts.pins.forget(pid);
    const orphans = await removeOrphans(directory, index, segmentOwner(directory, identity)).finally(() =>
      committer.examine(),
    );
    if (orphans > 0) logger.info({ orphans, pid }, 'removed files of writes that had not been acknowledged');
    trash.recover();
  }

  async close(): Promise<void> {
    const { index, committer, trash, buckets } = this.#engine;
    await this.#parts.lifecycle.stop();
    await this.#parts.maintenance.stop();
    await trash.settle();
    await this.#parts.segments.close();
    await committer.commit(() => undefined).catch(() => undefined);
    await committer.close();
    await trash.settle();
    await trash.close();
    await this.#parts.threads.close();
    buckets.close();
    // Closing a broken index may wait for ever for a lock that lmdb has lost.
    if (committer.broken === undefined) await index.root.close();
    await this.#parts.lock?.release();
  }
}
