import type { z } from 'zod';
import type { BlobRef, DocumentRef, Snapshot } from '../repository/model.ts';
import type { PageFile, Pieces } from '../repository/pieces.ts';

export type Content = Snapshot['content'];
export type UsedMethod = Snapshot['method'];

/** Where a source's bytes go. */
export interface Sink {
  /**
   * Resolves when the bytes may be changed again. Several at once are packed by several cores, and keep their order. The
   * reference is complete when `finish` has resolved.
   */
  add(bytes: Buffer): Promise<BlobRef>;
  /** All that was added is stored. @throws what storing failed with */
  finish(): Promise<void>;
  /** Stores a list of what was added. */
  document(content: unknown): Promise<DocumentRef>;
}

/** A blob that is asked for, and what for. */
export interface Wanted<T> {
  readonly blob: BlobRef;
  readonly what: T;
}

/** A blob, and where its pages go. */
export interface Placed {
  readonly blob: BlobRef;
  readonly pieces: Pieces;
}

/** Where they come back from. */
export interface BlobStore {
  /** @throws BackupError `damaged` */
  document<T>(ref: DocumentRef, schema: z.ZodType<T>): Promise<T>;
  /** In the order of `wanted`. @throws BackupError `damaged` */
  blobs<T>(wanted: readonly Wanted<T>[]): AsyncIterable<{ readonly what: T; readonly bytes: Buffer }>;
  /**
   * Writes blobs into a file, in their order, and tells what was written. When the iteration has ended, however it does,
   * nothing is written any more.
   * @throws BackupError `damaged`; the system's error
   */
  write(placed: readonly Placed[], file: PageFile): AsyncIterable<readonly Placed[]>;
}

export interface FreezeOptions {
  /** What is stored already and may be built upon; undefined: everything is stored. */
  readonly base: Content | undefined;
  /** Gives the documents of the base. */
  readonly store: Pick<BlobStore, 'document'>;
  readonly signal?: AbortSignal | undefined;
}

/** Something that is backed up. test/contract/snapshot-source.ts says what every one must do. */
export interface SnapshotSource {
  readonly kind: Content['kind'];
  /**
   * Holds its present state, as far as its method can before the bytes are read.
   * @throws BackupError `source`, `method`, `not-mdbx`
   */
  freeze(options: FreezeOptions): Promise<Frozen>;
}

export interface Frozen extends AsyncDisposable {
  /** Whether whoever writes the source may go on without effect. Otherwise `store` reads what is being written. */
  readonly frozen: boolean;
  /**
   * Reads, and stores what the base does not have. What it returns is one state of the source, proven as far as its kind
   * can be; where that cannot be it throws, and nothing refers to what was stored until then.
   */
  store(sink: Sink): Promise<Stored>;
}

export interface Stored {
  readonly method: UsedMethod;
  readonly content: Content;
  /** Bytes read of the source. */
  readonly read: number;
  /** When the source was in this state: milliseconds since 1970 UTC. */
  readonly time: number;
}
