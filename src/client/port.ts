import type { Readable } from 'node:stream';

/**
 * The S3 API as our features see it. Failures are `ClientError`s (see `errors.ts`); entity tags are unquoted; times are
 * milliseconds since 1970 UTC. Every call may be aborted.
 */
export interface ObjectClient {
  /** @throws ClientError `already-owned`, `owned-by-other`, `denied` */
  createBucket(bucket: string): Promise<void>;
  /** Whether it exists and may be listed by us. @throws ClientError `no-such-bucket`, `denied` */
  headBucket(bucket: string): Promise<void>;
  listBuckets(): Promise<readonly BucketEntry[]>;
  /** In the provider's order, which is UTF-8 byte order; pages are fetched as they are needed. */
  list(request: ListRequest): AsyncIterable<ListedEntry>;
  put(request: PutRequest): Promise<PutAnswer>;
  /** Any size, in parts, several at once; the parts of a failed upload are removed. */
  upload(request: UploadRequest): Promise<PutAnswer>;
  /** The caller must read the body to its end or destroy it. @throws ClientError `no-such-key` */
  get(request: GetRequest): Promise<GetAnswer>;
  head(request: ObjectAddress): Promise<ObjectFacts>;
  /** @throws ClientError `not-implemented` where the provider has no object tags */
  tags(request: ObjectAddress): Promise<Readonly<Record<string, string>>>;
  /** Multipart step by step, for who must see every part; `upload` does it all. Answers the upload's id. */
  createUpload(request: CreateUploadRequest): Promise<string>;
  uploadPart(request: UploadPartRequest): Promise<UploadedPart>;
  /** The ETag is empty where the provider tells none. */
  completeUpload(request: CompleteUploadRequest): Promise<PutAnswer>;
  /** The parts that an unfinished upload has, in the order of their numbers. @throws ClientError `no-such-upload` */
  listParts(request: ObjectAddress & { readonly uploadId: string }): AsyncIterable<ListedPart>;
  /** Unfinished uploads, in the order of keys. */
  listUploads(request: { readonly bucket: string; readonly prefix: string }): AsyncIterable<UnfinishedUpload>;
  /** @throws ClientError `no-such-upload` */
  abortUpload(request: ObjectAddress & { readonly uploadId: string }): Promise<void>;
  /** Deleting what does not exist is no error. */
  delete(request: ObjectAddress): Promise<void>;
  /** At most 1,000 keys in one request; answers those that were not deleted. */
  deleteMany(request: { readonly bucket: string; readonly keys: readonly string[] }): Promise<readonly DeleteFailure[]>;
  /** Locks an object against removal until then, at least; a lock is never shortened. @throws ClientError `denied` */
  extendLock(request: ObjectAddress & { readonly until: number }): Promise<void>;
  /** A URL that does one thing for anybody who has it, for at most 7 days. */
  presign(request: PresignRequest): string;
  /** Closes its connections. */
  close(): void;
}

export interface ObjectAddress {
  readonly bucket: string;
  readonly key: string;
}

export interface BucketEntry {
  readonly name: string;
  readonly created: number | undefined;
}

export interface ListRequest {
  readonly bucket: string;
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
  /** Only keys that sort after this. */
  readonly startAfter?: string | undefined;
  /** Entries in one request, 1 to 1,000. */
  readonly pageSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type ListedEntry =
  | {
      readonly kind: 'object';
      readonly key: string;
      readonly size: number;
      readonly modified: number | undefined;
      readonly etag: string;
    }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** A stream needs its length said: many providers answer 411 to a chunked request. */
export type Body = { readonly bytes: Uint8Array | string } | { readonly stream: Readable; readonly length: number };

/** What is stored with an object besides its bytes. */
export interface ObjectHeaders {
  readonly contentType?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly cacheControl?: string | undefined;
  /** User metadata; names in lower case, without `x-amz-meta-`. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface PutRequest extends ObjectAddress, ObjectHeaders {
  readonly body: Body;
  /** MD5 of the body, which the provider then checks: `Content-MD5`. */
  readonly md5?: Uint8Array | undefined;
  /**
   * SHA-256 of the body, in hexadecimal, where it is known already: signed as the payload's digest instead of being
   * computed again. The provider refuses another body.
   */
  readonly sha256?: string | undefined;
  /** Only if there is no such object. Ask the profile first: some providers ignore it and answer 200. */
  readonly ifAbsent?: boolean | undefined;
  /** Locked against removal until then (S3 Object Lock, compliance mode); milliseconds since 1970. Wants `md5`. */
  readonly lockUntil?: number | undefined;
  /** A checksum whatever the profile says; default: as the profile says. */
  readonly checksum?: 'CRC32' | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PutAnswer {
  readonly etag: string;
}

export interface UploadRequest extends ObjectAddress {
  readonly body: Readable | Uint8Array;
  readonly contentType?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Bytes, at least 5 MiB. Default 8 MiB. */
  readonly partSize?: number | undefined;
  /** Parts under way at once. Default 4. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CreateUploadRequest extends ObjectAddress, ObjectHeaders {
  readonly signal?: AbortSignal | undefined;
}

export interface UploadPartRequest extends ObjectAddress {
  readonly uploadId: string;
  /** 1 to 10,000. */
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly md5?: Uint8Array | undefined;
  /**
   * CRC32 of the bytes, for who has it already: it is sent where the profile sends checksums, and over TLS or loopback the
   * signature then leaves out the SHA-256 of the bytes, which costs more than sending them.
   */
  readonly crc32?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface UnfinishedUpload {
  readonly key: string;
  readonly uploadId: string;
  /** Milliseconds since 1970 UTC. */
  readonly initiated: number | undefined;
}

export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  /** Base64, where the profile sends checksums: completing must then repeat it. */
  readonly crc32: string | undefined;
}

export interface ListedPart extends UploadedPart {
  /** Bytes. */
  readonly size: number;
}

export interface CompleteUploadRequest extends ObjectAddress {
  readonly uploadId: string;
  /** In the order of their numbers. */
  readonly parts: readonly UploadedPart[];
  readonly signal?: AbortSignal | undefined;
}

export interface GetRequest extends ObjectAddress {
  /** Inclusive, as HTTP counts; without an end: to the last byte. */
  readonly range?: { readonly start: number; readonly end?: number | undefined } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ObjectFacts {
  /** Bytes of the answer's body: for a range, the range's. */
  readonly size: number;
  readonly etag: string;
  readonly modified: number | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly contentDisposition: string | undefined;
  readonly contentLanguage: string | undefined;
  readonly cacheControl: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** As `x-amz-tagging-count` tells; undefined: it does not, which AWS means as none. */
  readonly tagCount: number | undefined;
  /** Whether the provider encrypted it with a key that makes the ETag no MD5 (KMS, or the customer's own). */
  readonly opaqueEtag: boolean;
}

export interface GetAnswer extends ObjectFacts {
  readonly body: Readable;
}

export interface DeleteFailure {
  readonly key: string;
  readonly s3Code: string;
}

export interface PresignRequest extends ObjectAddress {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  /** 1 to 604,800. */
  readonly expiresSeconds: number;
  readonly contentType?: string | undefined;
  /** The `Content-Disposition` that the answer to a GET or HEAD has. */
  readonly disposition?: string | undefined;
  /**
   * The body that a PUT may have: its `content-length` and `x-amz-content-sha256` are then signed, must be sent as headers,
   * and another body is refused by providers that check the digest.
   */
  readonly exactly?: { readonly size: number; readonly sha256: string } | undefined;
}
