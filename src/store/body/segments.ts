import { join } from 'node:path';
import { DirectorySyncer } from '../../fs/directory-syncer.ts';
import { makeDirectoryDurably } from '../../fs/durable.ts';
import type { Committer } from '../index/committer.ts';
import type { Index } from '../index/database.ts';
import { bucketPrefix as numberKey } from '../index/keys.ts';
import { segmentPath } from './reference.ts';

const NEXT_SEGMENT = Buffer.from('next-segment');

/**
 * Numbers for new bodies. A segment is a directory that takes a bounded number of files; it is recorded as open in the
 * index before its first file is made, and closed when the last write in it has ended. So after a crash only the open
 * segments can hold files that no commit refers to, and recovery costs the same with a thousand objects or a billion.
 */
export class Segments {
  readonly #directory: string;
  readonly #index: Index;
  readonly #committer: Committer;
  readonly #filesEach: number;
  readonly #owner: string;
  #current: OpenSegment;
  #spare: Promise<number> | undefined;
  #closable: number[] = [];

  constructor(options: {
    readonly directory: string;
    readonly index: Index;
    readonly committer: Committer;
    readonly first: number;
    readonly filesEach: number;
    readonly owner: string;
  }) {
    this.#directory = options.directory;
    this.#index = options.index;
    this.#committer = options.committer;
    this.#filesEach = options.filesEach;
    this.#owner = options.owner;
    this.#current = new OpenSegment(options.first, options.directory);
  }

  /**
   * Records a new open segment. Inside a transaction.
   * @param owner the identity of the process that writes into it
   */
  static allocate(index: Index, owner: string): number {
    const segment = index.counters.get(NEXT_SEGMENT) ?? 1;
    index.counters.putSync(NEXT_SEGMENT, segment + 1);
    index.segments.putSync(numberKey(segment), Buffer.from(owner));
    return segment;
  }

  /** The owner's identity is empty where a version before 0.2 wrote it. */
  static open(index: Index): readonly { readonly segment: number; readonly owner: string }[] {
    return Array.from(index.segments.getRange(), ({ key, value }) => ({
      segment: key.readUInt32BE(0),
      owner: value.toString('utf8'),
    }));
  }

  /** A number for an inline value: no file, so nothing to recover. */
  inline(): { readonly segment: number; readonly sequence: number } {
    return { segment: this.#current.number, sequence: this.#current.nextSequence() };
  }

  /** A place for a new file; `done` must be called once its fate is settled (committed, or removed). */
  async file(): Promise<FilePlace> {
    const segment = await this.#segmentWithRoom();
    segment.files += 1;
    segment.underWay += 1;
    const sequence = segment.nextSequence();
    await segment.ready();
    return {
      segment: segment.number,
      sequence,
      syncDirectory: () => segment.sync(),
      done: () => {
        segment.underWay -= 1;
        this.#closeIfDone(segment);
      },
    };
  }

  /** Inside a transaction: forgets the segments that no write can leave orphans in any more, and answers them. */
  writeClosed(): readonly number[] {
    const closed = this.#closable;
    for (const segment of closed) this.#index.segments.removeSync(numberKey(segment));
    this.#closable = [];
    return closed;
  }

  /** After everything under way has ended: the segments that still are open belong to nobody. */
  async close(): Promise<void> {
    await this.#spare?.then(
      (segment) => this.#closable.push(segment),
      () => undefined,
    );
    if (this.#current.underWay === 0) this.#closable.push(this.#current.number);
    await this.#current.close();
  }

  async #segmentWithRoom(): Promise<OpenSegment> {
    if (this.#current.files < this.#filesEach) {
      // Fetched early, so that no write waits for the commit that records it.
      if (this.#current.files >= this.#filesEach / 2) void this.#fetchSpare();
      return this.#current;
    }
    const full = this.#current;
    const next = await this.#fetchSpare();
    if (this.#current === full) {
      this.#spare = undefined;
      this.#current = new OpenSegment(next, this.#directory);
      full.retired = true;
      this.#closeIfDone(full);
    }
    return this.#segmentWithRoom();
  }

  #fetchSpare(): Promise<number> {
    if (this.#spare === undefined) {
      const spare = this.#committer.commit(() => Segments.allocate(this.#index, this.#owner));
      this.#spare = spare;
      spare.catch(() => {
        if (this.#spare === spare) this.#spare = undefined;
      });
    }
    return this.#spare;
  }

  #closeIfDone(segment: OpenSegment): void {
    if (!segment.retired || segment.underWay > 0) return;
    this.#closable.push(segment.number);
    segment.close().catch(() => undefined);
  }
}

export interface FilePlace {
  readonly segment: number;
  readonly sequence: number;
  /** Resolves when the file's directory entry is on the disk. */
  syncDirectory(): Promise<void>;
  done(): void;
}

class OpenSegment {
  readonly number: number;
  readonly #path: string;
  readonly #syncer: DirectorySyncer;
  files = 0;
  underWay = 0;
  retired = false;
  #sequence = 0;
  #made: Promise<void> | undefined;

  constructor(number: number, directory: string) {
    this.number = number;
    this.#path = join(directory, segmentPath(number));
    this.#syncer = new DirectorySyncer(this.#path);
  }

  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  ready(): Promise<void> {
    if (this.#made === undefined) {
      const made = makeDirectoryDurably(this.#path);
      this.#made = made;
      made.catch(() => {
        this.#made = undefined;
      });
    }
    return this.#made;
  }

  sync(): Promise<void> {
    return this.#syncer.sync();
  }

  close(): Promise<void> {
    return this.#syncer.close();
  }
}
