import { randomInt } from 'node:crypto';
import type { BucketConfigurations } from './configuration.ts';
import { StoreError } from './errors.ts';
import type { Committer } from './index/committer.ts';
import type { BucketRecord, Index } from './index/database.ts';
import { afterPrefix, bucketPrefix } from './index/keys.ts';
import type { UsageCounters } from './index/usage.ts';
import type { BucketConfigurationKind, BucketInfo, CreateBucket, ObjectLock, VersioningStatus } from './port.ts';

const NEXT_BUCKET = Buffer.from('next-bucket');
const GENERATION = Buffer.from('bucket-generation');
/** The generation before any bucket was made. */
const NEVER = Buffer.alloc(0);

interface Known {
  readonly record: BucketRecord;
  /** What was asked of the index since the generation was drawn. */
  readonly configuration: Map<BucketConfigurationKind, string | undefined>;
}

/**
 * The buckets, held in memory as well: every request looks one up. Several processes change them, so each look-up begins
 * with a fresh view of the index (what was acknowledged before a request began is seen by it, whichever process wrote it)
 * and compares a number that every change of the table, or of what is configured on a bucket, draws anew. Drawn, not counted: that of a transaction which failed
 * never comes again.
 */
export class BucketTable {
  readonly #index: Index;
  readonly #usage: UsageCounters;
  readonly #configurations: BucketConfigurations;
  #byName: ReadonlyMap<string, Known> = new Map();
  /** The generation as it lies in the index; undefined: nothing was read yet. */
  #generation: Buffer | undefined;
  /** Whether the view of the index was opened in the code that runs now: nothing can have changed since. */
  #fresh = false;
  #closed = false;

  constructor(index: Index, usage: UsageCounters, configurations: BucketConfigurations) {
    this.#index = index;
    this.#usage = usage;
    this.#configurations = configurations;
  }

  /**
   * Begins a look-up: what is read from the index in the same turn of the event loop is of now.
   * @throws StoreError `no-such-bucket`
   */
  require(name: string): BucketRecord {
    return this.#known(name).record;
  }

  /**
   * What is configured on a bucket, begun like any look-up.
   * @throws StoreError `no-such-bucket`
   */
  configuration(name: string, kind: BucketConfigurationKind): string | undefined {
    const { record, configuration } = this.#known(name);
    if (configuration.has(kind)) return configuration.get(kind);
    const value = this.#configurations.get(record.id, kind);
    configuration.set(kind, value);
    return value;
  }

  /**
   * Inside a transaction: the bucket is still the one that the request began with.
   * @returns what is configured on it in this very transaction
   */
  requireSame(name: string, record: BucketRecord): BucketRecord {
    const now = this.#isCurrent() ? this.#byName.get(name)?.record : this.#index.buckets.get(Buffer.from(name));
    if (now === undefined || now.id !== record.id) throw noSuchBucket(name);
    return now;
  }

  info(name: string): BucketInfo {
    return describe(name, this.require(name));
  }

  all(): readonly BucketInfo[] {
    return [...this.#current()]
      .map(([name, { record }]) => describe(name, record))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  entries(): Iterable<readonly [string, BucketRecord]> {
    return Array.from(this.#current(), ([name, { record }]) => [name, record] as const);
  }

  /** @throws StoreError `bucket-exists` */
  create(committer: Committer, request: CreateBucket, created: number): Promise<BucketInfo> {
    return committer.commit(() => {
      if (this.#index.buckets.doesExist(Buffer.from(request.name))) {
        throw new StoreError('bucket-exists', `bucket ${request.name} exists`, { bucket: request.name });
      }
      const id = this.#index.counters.get(NEXT_BUCKET) ?? 1;
      const { owner, region, objectLock } = request;
      const locked = objectLock !== undefined && { versioning: 'Enabled' as const, objectLock };
      const record: BucketRecord = { id, owner, region, created, ...locked };
      this.#index.counters.putSync(NEXT_BUCKET, id + 1);
      this.#index.buckets.putSync(Buffer.from(request.name), record);
      for (const [kind, value] of request.configuration ?? []) this.#configurations.set(id, kind, value);
      this.changed();
      return describe(request.name, record);
    });
  }

  /** @throws StoreError `no-such-bucket`, `versioning-locked` */
  setVersioning(committer: Committer, name: string, versioning: VersioningStatus): Promise<void> {
    return this.#change(committer, name, (record) => {
      if (versioning !== 'Enabled' && record.objectLock !== undefined) {
        throw new StoreError('versioning-locked', `bucket ${name} has object lock, which needs versioning`, {
          bucket: name,
        });
      }
      return { ...record, versioning };
    });
  }

  /** @throws StoreError `no-such-bucket`, `versioning-required` */
  setObjectLock(committer: Committer, name: string, objectLock: ObjectLock): Promise<void> {
    return this.#change(committer, name, (record) => {
      if (record.versioning !== 'Enabled') {
        throw new StoreError('versioning-required', `bucket ${name} has no versioning, which object lock needs`, {
          bucket: name,
        });
      }
      return { ...record, objectLock };
    });
  }

  #change(committer: Committer, name: string, change: (record: BucketRecord) => BucketRecord): Promise<void> {
    return committer.commit(() => {
      const record = this.#index.buckets.get(Buffer.from(name));
      if (record === undefined) throw noSuchBucket(name);
      const changed = change(record);
      this.#index.buckets.putSync(Buffer.from(name), changed);
      this.changed();
    });
  }

  /** @throws StoreError `no-such-bucket`, `bucket-not-empty` (uploads under way count, as they do on S3) */
  async delete(committer: Committer, name: string): Promise<void> {
    await committer.commit(() => {
      const record = this.#index.buckets.get(Buffer.from(name));
      if (record === undefined) throw noSuchBucket(name);
      const start = bucketPrefix(record.id);
      const range = { start, end: afterPrefix(start), limit: 1 };
      const { objectsRaw, versionsRaw, uploads } = this.#index;
      if ([objectsRaw, versionsRaw, uploads].some((database) => hasAny(database.getKeys(range)))) {
        throw new StoreError('bucket-not-empty', `bucket ${name} is not empty`, { bucket: name });
      }
      this.#index.buckets.removeSync(Buffer.from(name));
      this.#usage.remove(record.id);
      this.#configurations.removeAll(record.id);
      this.changed();
    });
  }

  /** Inside a transaction that changes a bucket or what is configured on one. */
  changed(): void {
    this.#index.counters.putSync(GENERATION, randomInt(2 ** 48 - 1));
  }

  /** Look-ups are refused from now on. */
  close(): void {
    this.#closed = true;
  }

  /** @throws StoreError `no-such-bucket`, `closed` */
  #known(name: string): Known {
    const known = this.#current().get(name);
    if (known === undefined) throw noSuchBucket(name);
    return known;
  }

  /** @throws StoreError `closed` */
  #current(): ReadonlyMap<string, Known> {
    if (this.#closed) throw new StoreError('closed', 'the store is closed');
    if (this.#fresh) return this.#byName;
    this.#index.root.resetReadTxn();
    if (!this.#isCurrent()) {
      // Copied: lmdb uses the buffer again.
      const generation = this.#index.countersRaw.get(GENERATION);
      this.#byName = new Map(
        Array.from(this.#index.buckets.getRange(), ({ key, value }) => [
          key.toString(),
          { record: value, configuration: new Map() },
        ]),
      );
      this.#generation = generation ?? NEVER;
    }
    this.#fresh = true;
    queueMicrotask(this.#stale);
    return this.#byName;
  }

  readonly #stale = (): void => {
    this.#fresh = false;
  };

  /** Compares byte by byte what is in lmdb's own memory: every request asks. */
  #isCurrent(): boolean {
    const known = this.#generation;
    const now = this.#index.countersRaw.getBinaryFast(GENERATION) ?? NEVER;
    if (known === undefined || known.length !== now.length) return false;
    for (let at = 0; at < known.length; at += 1) if (known[at] !== now[at]) return false;
    return true;
  }
}

function describe(name: string, record: BucketRecord): BucketInfo {
  const { owner, region, created, versioning, objectLock } = record;
  return { name, owner, region, created, versioning, objectLock };
}

function noSuchBucket(name: string): StoreError {
  return new StoreError('no-such-bucket', `there is no bucket ${name}`, { bucket: name });
}

function hasAny(keys: Iterable<Buffer>): boolean {
  for (const _ of keys) return true;
  return false;
}
