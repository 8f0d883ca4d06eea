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
import { openIndex } from './index/database.ts';
import { UsageCounters } from './index/usage.ts';
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
import { objectInfo, openObject } from './object/read.ts';
import type { ObjectStore, StoreHealth } from './port.ts';
import { removeOrphans } from './recovery.ts';
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
  /** Told of every commit: how long it took until it was durable, in milliseconds, and how many changes it held. */
  readonly observeCommit?: (milliseconds: number, changes: number) => void;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Bytes that all uploads together may have on their way to the disk. */
const UPLOAD_MEMORY = 32 * MiB;

/**
 * Opens the embedded object engine on a data directory: one process at a time.
 * @throws HostError `data-directory-held`, `data-directory-format`
 */
export async function openLocalStore(options: LocalStoreOptions): Promise<LocalStore> {
  const { directory } = options;
  const logger = options.logger ?? silentLogger;
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

async function assemble(options: LocalStoreOptions, logger: Logger, lock: DirectoryLock): Promise<LocalStore> {
  const { directory } = options;
  const durable = options.durable ?? true;
  const clock = options.clock ?? systemClock;
  const inlineLimit = options.inlineLimit ?? 32 * KiB;
  await mkdir(join(directory, 'bodies'), { recursive: true, mode: 0o700 });
  const index = openIndex({ directory: join(directory, 'index'), durable });
  // LMDB syncs what it writes into its file, not the file's name in a new directory.
  await syncDirectory(join(directory, 'index'));
  await syncDirectory(directory);
  const orphans = await removeOrphans(directory, index);
  if (orphans > 0) logger.info({ orphans }, 'removed files of writes that had not been acknowledged');
  const first = await index.root.transaction(() => Segments.allocate(index));

  const usage = new UsageCounters(index);
  const configurations = new BucketConfigurations(index);
  const trash = new Trash(directory, index);
  const ballast = new Ballast(directory);
  await ballast.hold();
  // The segments need the committer and the committer's hooks the segments: the hooks look it up when they run.
  const later: { segments?: Segments } = {};
  const committer = new Committer(index, {
    beforeCommit() {
      usage.write();
      trash.writeUnlinked();
      trash.closed(later.segments?.writeClosed() ?? []);
    },
    afterCommit: (isDurable) => trash.committed(isDurable),
    makeRoom: () => ballast.release(),
    ...(options.observeCommit !== undefined && { observe: options.observeCommit }),
  });
  const segments = new Segments({ directory, index, committer, first, filesEach: options.filesPerSegment ?? 1024 });
  later.segments = segments;
  const threads = createBodyThreads(options.bodyThreads ?? defaultBodyThreads());
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
      budget: new Budget(UPLOAD_MEMORY),
      inlineLimit,
      durable,
    }),
    readBuffers: new ReadBuffers(),
    trash,
    ballast,
    inlineLimit,
    buckets: new BucketTable(index, usage, configurations),
    configurations,
    space: new SpaceGuard(directory, index),
    clock,
    logger,
    minPartSize: options.minPartSize ?? 5 * MiB,
  };
  trash.recover();
  const maintenance = new Maintenance(engine, {
    abandonedUploadAge: options.abandonedUploadAge ?? 7 * DAY_MS,
    interval: 60_000,
  });
  maintenance.start();
  return new LocalStore(engine, { segments, threads, maintenance, lock });
}

/** Worker threads exist only as compiled files; run from source (in unit tests), bodies stay on this thread. */
function defaultBodyThreads(): number {
  return import.meta.url.endsWith('.ts') ? 0 : 2;
}

interface Parts {
  readonly segments: Segments;
  readonly threads: BodyThreads;
  readonly maintenance: Maintenance;
  readonly lock: DirectoryLock;
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

  createBucket: ObjectStore['createBucket'] = (request) =>
    this.#engine.buckets.create(this.#engine.committer, request, this.#engine.clock.now());
  bucket: ObjectStore['bucket'] = async (name) => this.#engine.buckets.info(name);
  buckets: ObjectStore['buckets'] = async () => this.#engine.buckets.all();
  deleteBucket: ObjectStore['deleteBucket'] = (name) => this.#engine.buckets.delete(this.#engine.committer, name);
  bucketConfiguration: ObjectStore['bucketConfiguration'] = async (bucket, kind) =>
    this.#engine.configurations.get(this.#engine.buckets.require(bucket).id, kind);
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
    const diskFreeBytes = this.#engine.space.free();
    try {
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

  async close(): Promise<void> {
    const { index, committer, trash } = this.#engine;
    await this.#parts.maintenance.stop();
    await trash.settle();
    await this.#parts.segments.close();
    await committer.commit(() => undefined).catch(() => undefined);
    await committer.close();
    await trash.settle();
    await trash.close();
    await this.#parts.threads.close();
    await index.root.close();
    await this.#parts.lock.release();
  }
}
