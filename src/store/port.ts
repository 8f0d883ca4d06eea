import type { Checksum, ChecksumAlgorithm, ChecksumType, DigestName, Digests } from '../checksum/index.ts';
import type { Eventually } from '../core/eventually.ts';

/**
 * The object engine as the protocol sees it. No HTTP, no XML and no S3 error code on this side: failures are
 * `StoreError`s (see `errors.ts`), text is plain UTF-8, times are milliseconds since 1970 UTC, entity tags are unquoted.
 *
 * Every promise that resolves for a change means: durable (fsynced) and visible, whole, to every reader.
 */
export interface ObjectStore {
  readonly capabilities: StoreCapabilities;
  /** The reads that every request makes, without waiting. A store that has to wait for them leaves this out. */
  readonly instant?: InstantReads | undefined;

  createBucket(request: CreateBucket): Promise<BucketInfo>;
  /** @throws StoreError `no-such-bucket` */
  bucket(name: string): Promise<BucketInfo>;
  /** All buckets in name order. */
  buckets(): Promise<readonly BucketInfo[]>;
  /** @throws StoreError `no-such-bucket`, `bucket-not-empty` */
  deleteBucket(name: string): Promise<void>;
  /**
   * What is configured on a bucket, as it was set; undefined when it is not. Cheap enough for every request: while a value
   * is unchanged the answer is the same string, so that its parsed form can be kept by it. Goes with the bucket.
   * @throws StoreError `no-such-bucket`
   */
  bucketConfiguration(bucket: string, kind: BucketConfigurationKind): Promise<string | undefined>;
  /** @throws StoreError `no-such-bucket`, `versioning-locked` when it would end the versioning of a bucket with object lock */
  setVersioning(bucket: string, status: VersioningStatus): Promise<void>;
  /** Once on, object lock stays on. @throws StoreError `no-such-bucket`, `versioning-required` */
  setObjectLock(bucket: string, lock: ObjectLock): Promise<void>;
  /** Undefined removes it. @throws StoreError `no-such-bucket` */
  setBucketConfiguration(bucket: string, kind: BucketConfigurationKind, value: string | undefined): Promise<void>;

  putObject(request: PutObject): Promise<ObjectInfo>;
  /**
   * The object as it is now, its body held: a later overwrite or delete does not tear what is read from it. The caller
   * must `close()` it. Without a version: the current one.
   * @throws StoreError `no-such-bucket`, `no-such-key`, `no-such-version`, `invalid-version`, `delete-marker`
   */
  openObject(bucket: string, key: string, versionId?: string): Promise<OpenObject>;
  /** The same without the body. */
  objectInfo(bucket: string, key: string, versionId?: string): Promise<ObjectInfo>;
  /**
   * Deleting what does not exist is no error; the answer says whether something was deleted. Without a version, a bucket
   * with versioning keeps all versions and marks the object as deleted.
   * @throws StoreError `no-such-bucket`, `invalid-version`, `precondition-failed`, `object-locked`
   */
  deleteObject(request: DeleteObject): Promise<DeletedObject>;
  /** Index-only where the body can be shared; the copy never changes when its source does. */
  copyObject(request: CopyObject): Promise<ObjectInfo>;
  /**
   * Replaces what is named in `change`, and nothing else, in one version.
   * @throws StoreError as `objectInfo`, and `no-object-lock`, `object-locked`, `retention-past`
   */
  changeObject(request: ChangeObject): Promise<ObjectInfo>;
  listObjects(request: ListObjects): Promise<ObjectListing>;
  /** All versions and delete markers: by key, and of one key the newest first. */
  listVersions(request: ListVersions): Promise<VersionListing>;

  createUpload(request: CreateUpload): Promise<UploadInfo>;
  /** @throws StoreError `no-such-upload` */
  upload(bucket: string, key: string, uploadId: string): Promise<UploadInfo>;
  putPart(request: PutPart): Promise<PartInfo>;
  listParts(request: ListParts): Promise<{ readonly parts: readonly PartInfo[]; readonly truncated: boolean }>;
  listUploads(request: ListUploads): Promise<UploadListing>;
  /** One commit: the object appears whole or not at all. Repeating a completed upload's completion answers the object again. */
  completeUpload(request: CompleteUpload): Promise<ObjectInfo>;
  abortUpload(bucket: string, key: string, uploadId: string): Promise<void>;

  /** Cheap: read from counters that each commit keeps. */
  usage(): Promise<readonly BucketUsage[]>;
  health(): Promise<StoreHealth>;
  /** Waits for what is under way, then closes. Later calls fail with `closed`. */
  close(): Promise<void>;
}

/** What of the port's reads can be answered at once; each throws what its namesake's promise is rejected with. */
export interface InstantReads {
  bucket(name: string): BucketInfo;
  bucketConfiguration(bucket: string, kind: BucketConfigurationKind): string | undefined;
  objectInfo(bucket: string, key: string, versionId?: string): ObjectInfo;
  /** Undefined: this body has to be waited for. */
  openObject(bucket: string, key: string, versionId?: string): OpenObject | undefined;
}

export interface StoreCapabilities {
  /** What the store does by itself; an operation that needs more answers NotImplemented. */
  readonly conditionalWrites: boolean;
  readonly tags: boolean;
}

export interface CreateBucket {
  readonly name: string;
  /** The principal that owns it. */
  readonly owner: string;
  readonly region: string;
  /** Set in the same commit. */
  /** Set for a bucket with object lock, which then has versioning too. */
  readonly objectLock?: ObjectLock | undefined;
  readonly configuration?: readonly (readonly [kind: BucketConfigurationKind, value: string])[] | undefined;
}

/** The text of each is the protocol's; only it knows what it means. */
export type BucketConfigurationKind =
  | 'acl'
  | 'cors'
  | 'encryption'
  | 'lifecycle'
  | 'ownership-controls'
  | 'policy'
  | 'public-access-block'
  | 'tagging';

export interface BucketInfo {
  readonly name: string;
  readonly owner: string;
  readonly region: string;
  readonly created: number;
  /** Undefined: never configured, so the bucket has no versions. */
  readonly versioning: VersioningStatus | undefined;
  readonly objectLock: ObjectLock | undefined;
}

/** What a write makes: a new version, or (suspended) the null version anew. */
export type VersioningStatus = 'Enabled' | 'Suspended';

export interface ObjectLock {
  readonly defaultRetention?: DefaultRetention | undefined;
}

export type RetentionMode = 'GOVERNANCE' | 'COMPLIANCE';
export type DefaultRetention = { readonly mode: RetentionMode } & (
  | { readonly days: number }
  | { readonly years: number }
);

/** Until then (milliseconds) the version cannot be deleted: by nobody, or only by who may bypass governance. */
export interface Retention {
  readonly mode: RetentionMode;
  readonly until: number;
}

export type Tags = readonly (readonly [key: string, value: string])[];

/** The response headers that S3 stores with an object, by lower-case header name. */
export type StoredHeader =
  | 'content-type'
  | 'cache-control'
  | 'content-disposition'
  | 'content-encoding'
  | 'content-language'
  | 'expires'
  | 'x-amz-website-redirect-location';

export interface ObjectAttributes {
  readonly headers: Readonly<Partial<Record<StoredHeader, string>>>;
  /** User metadata by lower-case name without the `x-amz-meta-` prefix. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Tags;
  /** As the client named it; `STANDARD` when it did not. */
  readonly storageClass: string;
  /** Opaque to the store: the object's access control list, when it has its own. A copy takes what its caller says. */
  readonly acl?: string | undefined;
  /** Opaque to the store: how the body is encrypted with the client's key. Describes the bytes as they are stored. */
  readonly sse?: string | undefined;
  /** Only in a bucket with object lock. A copy takes what its caller says, else the bucket's default. */
  readonly retention?: Retention | undefined;
  readonly legalHold?: boolean | undefined;
}

export interface ObjectInfo extends ObjectAttributes {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly modified: number;
  readonly etag: string;
  /** `null` for the null version; undefined in a bucket that never had versioning. */
  readonly versionId: string | undefined;
  readonly checksum: Checksum | undefined;
  /** Of a completed multipart upload: its parts in order. */
  readonly parts: readonly ObjectPart[] | undefined;
}

export interface ObjectPart {
  readonly number: number;
  /** First byte within the object. */
  readonly offset: number;
  readonly size: number;
  readonly checksum: Checksum | undefined;
  /** As the part was sealed. */
  readonly sse?: string | undefined;
}

/** Takes a chunk; its memory is used again when the promise settles. Rejecting ends the sending. */
export type ChunkSink = (chunk: Buffer) => Promise<void>;

export interface OpenObject {
  readonly info: ObjectInfo;
  /** The whole body, when it is small enough to be held in the index. */
  readonly inline: Buffer | undefined;
  /** Bytes `start` to `end` (exclusive), in chunks of at most 1 MiB that the caller may keep. */
  read(start: number, end: number): AsyncIterable<Buffer>;
  /** The same bytes, pushed: the fast way to a client. The next chunk is read while the sink has one. */
  send(start: number, end: number, sink: ChunkSink): Promise<void>;
  close(): Eventually<void>;
}

/**
 * A body as it arrives. `length` is what was declared; the store refuses more or less with `incomplete-body`. The buffers
 * are the store's from then on: their memory may go to another thread.
 */
export type BodyInput =
  | { readonly bytes: Buffer }
  | { readonly chunks: AsyncIterable<Buffer>; readonly length: number | undefined };

/** What a write may demand of the object that is there. Checked in the commit itself. */
export interface WriteCondition {
  /** Only if there is no object. */
  readonly ifNoneMatch?: '*' | readonly string[] | undefined;
  /** Only if there is an object with one of these entity tags (`*`: any). */
  readonly ifMatch?: '*' | readonly string[] | undefined;
}

export interface IncomingBody {
  readonly body: BodyInput;
  /** Computed while the bytes arrive; MD5 always is, since it makes the entity tag. */
  readonly digests: readonly DigestName[];
  /**
   * Called once after the last byte and before anything is visible. Throwing refuses the write and leaves nothing
   * behind; the answer is the checksum to store with the object or part.
   */
  accept(digests: Digests, size: number): Checksum | undefined;
  /**
   * Called once after `accept`: what to keep about the encryption of this body, as the object's or part's `sse`, and its
   * entity tag, 32 hexadecimal digits.
   */
  readonly seal?: (() => { readonly sse: string; readonly etag: string }) | undefined;
}

export interface PutObject extends IncomingBody, ObjectAttributes {
  readonly bucket: string;
  readonly key: string;
  readonly condition?: WriteCondition | undefined;
}

export interface DeletedObject {
  readonly deleted: boolean;
  /** The version deleted, or the delete marker made. */
  readonly versionId: string | undefined;
  /** Whether a delete marker was made, or was what was deleted. */
  readonly deleteMarker: boolean;
}

export interface DeleteObject {
  readonly bucket: string;
  readonly key: string;
  /** This version, for good. */
  readonly versionId?: string | undefined;
  /** The caller may override retention of mode governance, and wants to. */
  readonly bypassGovernance?: boolean | undefined;
  readonly condition?: WriteCondition | undefined;
}

export interface ChangeObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly change: Partial<Pick<ObjectAttributes, 'tags' | 'acl' | 'retention' | 'legalHold'>>;
  /** The caller may override retention of mode governance, and wants to. */
  readonly bypassGovernance?: boolean | undefined;
}

export interface CopyObject {
  readonly source: { readonly bucket: string; readonly key: string; readonly versionId?: string | undefined };
  readonly bucket: string;
  readonly key: string;
  /** Sees the source as it is in the commit; throwing refuses the copy. */
  accept(source: ObjectInfo): void;
  /** What is not named keeps the source's, save ACL, retention and legal hold, which no copy inherits. */
  readonly attributes: Partial<ObjectAttributes>;
  /** Undefined keeps the source's checksum; otherwise the copy gets one of this algorithm, computed when it must be. */
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly condition?: WriteCondition | undefined;
}

export interface ListObjects {
  readonly bucket: string;
  readonly prefix: string;
  /** Empty: no grouping. */
  readonly delimiter: string;
  /**
   * Where to go on: entries that sort after this, in UTF-8 byte order. With a delimiter, a value that is a common prefix
   * skips everything below that prefix.
   */
  readonly after: string | undefined;
  /** Objects and common prefixes together; at least 0. */
  readonly limit: number;
}

export type ListEntry =
  | {
      readonly kind: 'object';
      readonly key: string;
      readonly size: number;
      readonly modified: number;
      readonly etag: string;
      readonly storageClass: string;
      readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
      readonly checksumType: ChecksumType | undefined;
    }
  | { readonly kind: 'prefix'; readonly prefix: string };

export interface ObjectListing {
  /** In UTF-8 byte order, objects and common prefixes interleaved. */
  readonly entries: readonly ListEntry[];
  readonly truncated: boolean;
}

export interface ListVersions {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Entries that sort after this key (or common prefix), and of this key those older than the version. */
  readonly after: { readonly key: string; readonly versionId: string | undefined } | undefined;
  readonly limit: number;
}

export type VersionEntry =
  | {
      readonly kind: 'version' | 'delete-marker';
      readonly key: string;
      readonly versionId: string;
      readonly isLatest: boolean;
      readonly size: number;
      readonly modified: number;
      readonly etag: string;
      readonly storageClass: string;
      readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
      readonly checksumType: ChecksumType | undefined;
    }
  | { readonly kind: 'prefix'; readonly prefix: string };

export interface VersionListing {
  readonly entries: readonly VersionEntry[];
  readonly truncated: boolean;
}

export interface CreateUpload extends ObjectAttributes {
  readonly bucket: string;
  readonly key: string;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

export interface UploadInfo extends ObjectAttributes {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  readonly initiated: number;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

export interface PutPart extends IncomingBody {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** 1 to 10,000. */
  readonly partNumber: number;
}

export interface PartInfo {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  readonly modified: number;
  readonly checksum: Checksum | undefined;
}

export interface ListParts {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** Parts with a higher number. */
  readonly after: number;
  readonly limit: number;
}

export interface ListUploads {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Uploads that sort after this key, and of this key those after `uploadId`. */
  readonly after: { readonly key: string; readonly uploadId: string | undefined } | undefined;
  readonly limit: number;
}

export interface UploadListing {
  readonly entries: readonly (
    | { readonly kind: 'upload'; readonly upload: UploadInfo }
    | { readonly kind: 'prefix'; readonly prefix: string }
  )[];
  readonly truncated: boolean;
}

export interface CompletePart {
  readonly number: number;
  readonly etag: string;
  /** As the client states it; compared with what the part was stored with. */
  readonly checksum: Checksum | undefined;
}

export interface CompleteUpload {
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
  /** Ascending, distinct; at least one. The protocol has refused anything else. */
  readonly parts: readonly CompletePart[];
  /** The checksum of the whole object as the client states it: a mismatch is `checksum-mismatch`. */
  readonly checksum: Checksum | undefined;
  /** The size of the whole object as the client states it. */
  readonly size: number | undefined;
  readonly condition?: WriteCondition | undefined;
}

export interface BucketUsage {
  readonly bucket: string;
  readonly objects: number;
  readonly bytes: number;
}

export interface StoreHealth {
  readonly writable: boolean;
  /** Why not, for people. */
  readonly reason: string | undefined;
  readonly diskFreeBytes: number;
}
