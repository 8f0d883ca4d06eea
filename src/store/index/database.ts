import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { ChecksumAlgorithm, ChecksumType } from '../../checksum/index.ts';
import { systemErrorCode } from '../../core/errors.ts';
import type { ObjectAttributes, ObjectLock, VersioningStatus } from '../port.ts';
import { keyBetween } from './keys.ts';
import {
  decodeListed,
  decodeListedVersion,
  decodeObject,
  type ListedObject,
  type ListedVersion,
  type ObjectRecord,
} from './records.ts';

/** A bucket in the index. The number, never reused, is what keys start with; so a bucket made anew starts empty. */
export interface BucketRecord {
  readonly id: number;
  readonly owner: string;
  readonly region: string;
  readonly created: number;
  /** Absent: never configured. */
  readonly versioning?: VersioningStatus;
  readonly objectLock?: ObjectLock;
}

export interface UploadRecord extends ObjectAttributes {
  readonly initiated: number;
  readonly checksumAlgorithm: ChecksumAlgorithm | null;
  readonly checksumType: ChecksumType | null;
}

/** What a completed upload became, kept for a while so that a repeated completion gets the same answer. */
export interface CompletedUpload {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  /** Absent in a bucket that had no versioning then. */
  readonly versionId?: string | undefined;
  readonly completed: number;
}

export interface UsageRecord {
  readonly objects: number;
  readonly bytes: number;
}

/** What is known of a body file beside the objects that refer to it. */
export interface BodyFileRecord {
  readonly size: number;
  /** How many objects and parts share it (a copy shares the body of its source). */
  readonly references: number;
}

/**
 * One LMDB environment, one named database a kind of entry. `objects` and `listing` are the same database read with
 * different decoders: a listing decodes only the head of each record, straight from the memory map.
 */
export interface Index {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly counters: Database<number, Buffer>;
  readonly countersRaw: Database<Buffer, Buffer>;
  readonly buckets: Database<BucketRecord, Buffer>;
  readonly configurations: Database<Buffer, Buffer>;
  readonly objects: Database<ObjectRecord, Buffer>;
  /** Keys come out as the object's key, a string; what goes in (a range's ends) are whole index keys. */
  readonly listing: Database<ListedObject, Buffer | string>;
  readonly objectsRaw: Database<Buffer, Buffer>;
  /** Current versions and all others, as a listing of versions reads them. */
  readonly objectHeads: Database<ListedVersion, Buffer>;
  readonly versionHeads: Database<ListedVersion, Buffer>;
  /** Versions that are not current, and delete markers. */
  readonly versions: Database<ObjectRecord, Buffer>;
  readonly versionsRaw: Database<Buffer, Buffer>;
  /** By object: where in `versions` its null version is. */
  readonly nullVersions: Database<Buffer, Buffer>;
  readonly inline: Database<Buffer, Buffer>;
  readonly manifests: Database<Buffer, Buffer>;
  readonly files: Database<BodyFileRecord, Buffer>;
  /** What proves the bytes of a body file (body/block-sums.ts); none for files of a version before 0.2. */
  readonly sums: Database<Buffer, Buffer>;
  readonly trash: Database<Buffer, Buffer>;
  readonly segments: Database<Buffer, Buffer>;
  readonly uploads: Database<UploadRecord, Buffer>;
  readonly parts: Database<ObjectRecord, Buffer>;
  readonly partsRaw: Database<Buffer, Buffer>;
  readonly completed: Database<CompletedUpload, Buffer>;
  readonly usage: Database<UsageRecord, Buffer>;
}

export interface IndexOptions {
  readonly directory: string;
  /** False: commits are acknowledged before the disk has them (`--durability relaxed`). */
  readonly durable: boolean;
  /** Beside the process that writes. Default false. */
  readonly readOnly?: boolean;
}

export function openIndex(options: IndexOptions): Index {
  keepPrivate(options.directory);
  // lmdb's types do not know `permissionsMode`, the mode of the files it makes; its own is 0664.
  const environment = {
    path: options.directory,
    noSubdir: false,
    maxDbs: 32,
    encoding: 'binary',
    keyEncoding: 'binary',
    // A commit's promise must mean fdatasync and meta page written, not merely "committed".
    overlappingSync: false,
    // One commit is one explicit transaction of the committer; lmdb's own batching of separate writes is not used.
    eventTurnBatching: false,
    noSync: !options.durable,
    readOnly: options.readOnly ?? false,
    permissionsMode: 0o600,
  } as const;
  const root = open<Buffer, Buffer>(environment);
  const binary = (name: string) => root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  const json = <V>(name: string) => root.openDB<V, Buffer>({ name, encoding: 'json', keyEncoding: 'binary' });
  return {
    root,
    counters: json('counters'),
    countersRaw: binary('counters'),
    buckets: json('buckets'),
    configurations: binary('configurations'),
    objects: decoded(root, 'objects', decodeObject),
    listing: openListing(root),
    objectsRaw: binary('objects'),
    objectHeads: decoded(root, 'objects', decodeListedVersion),
    versionHeads: decoded(root, 'versions', decodeListedVersion),
    versions: decoded(root, 'versions', decodeObject),
    versionsRaw: binary('versions'),
    nullVersions: binary('nullVersions'),
    inline: binary('inline'),
    manifests: binary('manifests'),
    files: json('files'),
    sums: binary('sums'),
    trash: binary('trash'),
    segments: binary('segments'),
    uploads: json('uploads'),
    parts: decoded(root, 'parts', decodeObject),
    partsRaw: binary('parts'),
    completed: json('completed'),
    usage: json('usage'),
  };
}

/** The index holds small objects' bytes: nobody else's to read, also where an earlier version has left it open. */
function keepPrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    chmodSync(directory, 0o700);
    for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o600);
  } catch (error) {
    // Another user's, shared with us by its group: whoever set that up decides.
    if (systemErrorCode(error) !== 'EPERM') throw error;
  }
}

/** A view of a database whose values are decoded straight from the memory map. Written through the binary view only. */
function decoded<V>(
  root: RootDatabase<Buffer, Buffer>,
  name: string,
  decode: (bytes: Buffer) => V,
): Database<V, Buffer> {
  // lmdb's types know `encoder` for the root database only; its openDB takes it as well.
  const options = {
    name,
    keyEncoding: 'binary' as const,
    encoder: {
      encode: (): never => {
        throw new TypeError(`${name} is written through its binary view`);
      },
      decode,
    },
  };
  return root.openDB<V, Buffer>(options);
}

/**
 * The objects as a listing reads them: key and head of each record are taken straight from lmdb's own memory, without a
 * buffer for either in between. That buffer was a third of a listing's time.
 */
function openListing(root: RootDatabase<Buffer, Buffer>): Database<ListedObject, Buffer | string> {
  const options = {
    name: 'objects',
    keyEncoder: {
      writeKey(key: Buffer, target: Buffer, start: number): number {
        target.set(key, start);
        return start + key.length;
      },
      readKey: keyBetween,
    },
    encoder: {
      encode: (): never => {
        throw new TypeError('objects are written through their binary view');
      },
      decode: decodeListed,
    },
  };
  return root.openDB<ListedObject, Buffer | string>(options);
}

/** What `mdb_stat` tells of a database, as lmdb hands it on (it declares the answer as an empty object). */
interface PageCounts {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** Bytes inside the index's file that deletes have freed and new entries may take. The file itself never shrinks. */
export function freeInIndex(index: Index): number {
  const root: object = index.root.getStats();
  if (!('lastPageNumber' in root && 'pageSize' in root && 'free' in root)) return 0;
  const { lastPageNumber, pageSize, free } = root;
  if (typeof lastPageNumber !== 'number' || typeof pageSize !== 'number') return 0;
  const trees: unknown[] = [root, free];
  for (const database of databasesOf(index)) trees.push(database.getStats());
  const used = trees.reduce<number>((sum, tree) => sum + (isPageCounts(tree) ? pagesOf(tree) : 0), 0);
  // Pages 0 and 1 are the meta pages.
  return Math.max(0, lastPageNumber - 1 - used) * pageSize;
}

function databasesOf(index: Index): readonly { getStats(): object }[] {
  const { counters, buckets, objectsRaw, inline, manifests, files, sums, trash, segments, uploads, partsRaw } = index;
  const { completed, usage, configurations, versionsRaw, nullVersions } = index;
  return [
    counters,
    buckets,
    objectsRaw,
    inline,
    manifests,
    files,
    sums,
    trash,
    segments,
    uploads,
    partsRaw,
    completed,
    usage,
    configurations,
    versionsRaw,
    nullVersions,
  ];
}

function isPageCounts(stats: unknown): stats is PageCounts {
  if (typeof stats !== 'object' || stats === null) return false;
  return 'treeBranchPageCount' in stats && 'treeLeafPageCount' in stats && 'overflowPages' in stats;
}

function pagesOf(stats: PageCounts): number {
  return stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages;
}
