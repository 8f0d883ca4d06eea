import type { BucketConfigurations } from './configuration.ts';
import { StoreError } from './errors.ts';
import type { Committer } from './index/committer.ts';
import type { BucketRecord, Index } from './index/database.ts';
import { afterPrefix, bucketPrefix } from './index/keys.ts';
import type { UsageCounters } from './index/usage.ts';
import type { BucketInfo, CreateBucket } from './port.ts';

const NEXT_BUCKET = Buffer.from('next-bucket');

/** The buckets, held in memory as well: every request looks one up. */
export class BucketTable {
  readonly #index: Index;
  readonly #usage: UsageCounters;
  readonly #configurations: BucketConfigurations;
  readonly #byName = new Map<string, BucketRecord>();

  constructor(index: Index, usage: UsageCounters, configurations: BucketConfigurations) {
    this.#index = index;
    this.#usage = usage;
    this.#configurations = configurations;
    for (const { key, value } of index.buckets.getRange()) this.#byName.set(key.toString(), value);
  }

  /** @throws StoreError `no-such-bucket` */
  require(name: string): BucketRecord {
    const record = this.#byName.get(name);
    if (record === undefined) throw noSuchBucket(name);
    return record;
  }

  /** Inside a transaction: the bucket is still the one that the request began with. */
  requireSame(name: string, record: BucketRecord): void {
    if (this.#byName.get(name)?.id !== record.id) throw noSuchBucket(name);
  }

  info(name: string): BucketInfo {
    return describe(name, this.require(name));
  }

  all(): readonly BucketInfo[] {
    return [...this.#byName].map(([name, record]) => describe(name, record)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  entries(): Iterable<readonly [string, BucketRecord]> {
    return this.#byName;
  }

  /** @throws StoreError `bucket-exists` */
  create(committer: Committer, request: CreateBucket, created: number): Promise<BucketInfo> {
    return this.#remembered(committer, request.name, () => {
      if (this.#index.buckets.doesExist(Buffer.from(request.name))) {
        throw new StoreError('bucket-exists', `bucket ${request.name} exists`, { bucket: request.name });
      }
      const id = this.#index.counters.get(NEXT_BUCKET) ?? 1;
      const record: BucketRecord = { id, owner: request.owner, region: request.region, created };
      this.#index.counters.putSync(NEXT_BUCKET, id + 1);
      this.#index.buckets.putSync(Buffer.from(request.name), record);
      for (const [kind, value] of request.configuration ?? []) this.#configurations.set(id, kind, value);
      this.#byName.set(request.name, record);
      return describe(request.name, record);
    });
  }

  /** @throws StoreError `no-such-bucket`, `bucket-not-empty` (uploads under way count, as they do on S3) */
  async delete(committer: Committer, name: string): Promise<void> {
    await this.#remembered(committer, name, () => {
      const record = this.#index.buckets.get(Buffer.from(name));
      if (record === undefined) throw noSuchBucket(name);
      const start = bucketPrefix(record.id);
      const range = { start, end: afterPrefix(start), limit: 1 };
      if (hasAny(this.#index.objectsRaw.getKeys(range)) || hasAny(this.#index.uploads.getKeys(range))) {
        throw new StoreError('bucket-not-empty', `bucket ${name} is not empty`, { bucket: name });
      }
      this.#index.buckets.removeSync(Buffer.from(name));
      this.#usage.remove(record.id);
      this.#configurations.removeAll(record.id);
      this.#byName.delete(name);
    });
  }

  /** The table follows the transaction; if that cannot be made durable, it follows the index back. */
  async #remembered<T>(committer: Committer, name: string, change: () => T): Promise<T> {
    try {
      return await committer.commit(change);
    } catch (error) {
      const record = this.#index.buckets.get(Buffer.from(name));
      if (record === undefined) this.#byName.delete(name);
      else this.#byName.set(name, record);
      throw error;
    }
  }
}

function describe(name: string, record: BucketRecord): BucketInfo {
  return { name, owner: record.owner, region: record.region, created: record.created };
}

function noSuchBucket(name: string): StoreError {
  return new StoreError('no-such-bucket', `there is no bucket ${name}`, { bucket: name });
}

function hasAny(keys: Iterable<Buffer>): boolean {
  for (const _ of keys) return true;
  return false;
}
