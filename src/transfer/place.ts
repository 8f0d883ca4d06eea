import type { ObjectHeaders } from '../client/index.ts';

/** One object as a listing tells it. Keys are relative to the place's prefix or directory. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since 1970 UTC. */
  readonly modified: number | undefined;
  /** Unquoted; undefined for a file. */
  readonly etag: string | undefined;
  /** Changes when the content does: the ETag, or a file's time, size and inode. */
  readonly version: string;
}

export type Listed =
  | ({ readonly kind: 'object' } & ListedObject)
  /** Something that is no object: a symbolic link, a socket, a name that is no UTF-8. */
  | { readonly kind: 'oddity'; readonly key: string; readonly reason: string };

/** An object while it is read. */
export interface OpenObject extends ListedObject {
  /** What to keep besides the bytes; a file has nothing. */
  readonly headers: ObjectHeaders;
  /** Whether the ETag is that of an encrypted object, which tells nothing of its bytes. */
  readonly opaqueEtag: boolean;
  /** Its tags, where it has some and the place has tags at all. */
  tags(): Promise<Readonly<Record<string, string>> | undefined>;
  /** Its bytes, once; from `start` on, to go on where an earlier stream broke. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Whether it still is what it was when it was opened; asked at the end. */
  unchanged(): Promise<boolean>;
  /** Needed whether it was read to its end or not; harmless when repeated. */
  close(): Promise<void>;
}

/** What was stored, as the destination tells. */
export interface Stored {
  readonly version: string;
  /** Whether the destination's own checksum was compared with what was sent; otherwise only the size. */
  readonly checked: boolean;
}

/** What is known of an object before it is written. */
export interface NewObject {
  readonly key: string;
  readonly size: number;
  readonly modified: number | undefined;
  readonly headers: ObjectHeaders;
}

/** One object while it is written: nobody sees it before `finish`. */
export interface ObjectWriter {
  /** Parts may be written at once and in any order; all but the last have the size that `ourLayout` says. `index` counts from 0. */
  write(index: number, bytes: Uint8Array, md5: Uint8Array): Promise<void>;
  /** `etag`: what S3 answers for these bytes in these parts. @throws TransferError `not-stored` */
  finish(etag: string): Promise<Stored>;
  abort(): Promise<void>;
}

/** Something to clean up when this process dies in between. */
export type Leftover =
  /** An upload was about to begin, at this time (milliseconds since 1970); whether it did is not known. */
  | { readonly kind: 'intent'; readonly key: string; readonly at: number }
  | { readonly kind: 'upload'; readonly key: string; readonly uploadId: string }
  | { readonly kind: 'file'; readonly key: string; readonly path: string };

/** Where objects are: a bucket or directory, from a prefix on. */
export interface Place {
  readonly kind: 'bucket' | 'directory';
  /** For people and for the state file: `s3://bucket/prefix at https://…`, or an absolute path. Never a secret. */
  readonly name: string;
  /** What is kept besides the bytes. */
  readonly keeps: { readonly headers: boolean; readonly tags: boolean };
  /** @throws ClientError `no-such-bucket` …, HostError when a source directory is not there */
  check(role: 'source' | 'destination'): Promise<void>;
  /** In the order of keys. */
  list(signal?: AbortSignal): AsyncIterable<Listed>;
  /** @throws ClientError `no-such-key`, the system error ENOENT, when it is gone */
  open(
    key: string,
    options: { readonly start?: number; readonly signal?: AbortSignal | undefined },
  ): Promise<OpenObject>;
  begin(object: NewObject, note: (leftover: Leftover) => Promise<void>, signal?: AbortSignal): Promise<ObjectWriter>;
  cleanUp(leftover: Leftover): Promise<void>;
  /** Says, key by key in the order of keys, why one cannot be stored here. */
  refusals(): (key: string) => string | undefined;
  delete(keys: readonly string[]): Promise<readonly { readonly key: string; readonly reason: string }[]>;
  close(): Promise<void>;
}
