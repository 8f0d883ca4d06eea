import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DigestName, type Digests, digestOf } from '../../checksum/index.ts';
import { systemErrorCode } from '../../core/errors.ts';
import { KiB, MiB } from '../../core/sizes.ts';
import { RawFile } from '../../fs/raw-file.ts';
import { StoreError } from '../errors.ts';
import type { BodyInput } from '../port.ts';
import type { BodySink, BodyThreads } from './body-threads.ts';
import type { Budget } from './budget.ts';
import { sealInline } from './inline.ts';
import { type BodyReference, bodyPath, EMPTY_BODY } from './reference.ts';
import type { FilePlace, Segments } from './segments.ts';

/** A body on its way: its bytes are safe on the disk (or in `inline`), but nothing refers to it yet. */
export interface WrittenBody {
  readonly reference: BodyReference;
  /** To be put into the index by the commit that refers to the body; sealed (inline.ts). */
  readonly inline: Buffer | undefined;
  /** Of a file: what proves its bytes on later reads, for the same commit. */
  readonly sums: Buffer | undefined;
  readonly digests: Digests;
  readonly size: number;
  /** The commit that refers to it is durable. */
  keep(): void;
  /** Nothing will refer to it. */
  discard(): Promise<void>;
}

export interface BodyWriterOptions {
  readonly directory: string;
  readonly segments: Segments;
  readonly threads: BodyThreads;
  readonly budget: Budget;
  /** Bodies up to this many bytes live in the index. */
  readonly inlineLimit: number;
  readonly durable: boolean;
}

/**
 * Bytes of a body that are sent to its thread at once: each message wakes a thread, which costs as much as some 100 KiB.
 * What gathers is not in the budget yet, so that many bodies at once get smaller lots.
 */
const MOST_LOT = 512 * KiB;
const LEAST_LOT = 32 * KiB;
const ALL_LOTS = 16 * MiB;
/** Lots of one body that may be under way at once. */
const WINDOW = 3;

export class BodyWriter {
  readonly #options: BodyWriterOptions;
  /** Bodies that are coming in. */
  #streams = 0;

  constructor(options: BodyWriterOptions) {
    this.#options = options;
  }

  readonly #lot = (): number => Math.min(MOST_LOT, Math.max(LEAST_LOT, ALL_LOTS / this.#streams));

  /**
   * Takes the whole body in and makes it safe.
   * @throws StoreError `incomplete-body`, `disk-full`; and what the source throws. Nothing is left behind then.
   */
  async write(body: BodyInput, names: readonly DigestName[]): Promise<WrittenBody> {
    if ('bytes' in body) {
      return body.bytes.length <= this.#options.inlineLimit
        ? this.#inline(body.bytes, names)
        : this.#file(single(body.bytes), body.bytes.length, names);
    }
    this.#streams += 1;
    try {
      return await this.#file(body.chunks, body.length, names);
    } finally {
      this.#streams -= 1;
    }
  }

  #inline(bytes: Buffer, names: readonly DigestName[]): WrittenBody {
    const digests = new Map(names.map((name) => [name, digestOf(name, bytes)]));
    const reference: BodyReference =
      bytes.length === 0 ? EMPTY_BODY : { kind: 'inline', ...this.#options.segments.inline(), size: bytes.length };
    return {
      reference,
      inline: bytes.length === 0 ? undefined : sealInline(bytes),
      sums: undefined,
      digests,
      size: bytes.length,
      keep() {},
      async discard() {},
    };
  }

  async #file(
    chunks: AsyncIterable<Buffer>,
    length: number | undefined,
    names: readonly DigestName[],
  ): Promise<WrittenBody> {
    const stream = new ChunkGatherer(chunks, length, this.#lot);
    try {
      const first = await stream.next();
      return stream.ended && stream.size <= this.#options.inlineLimit
        ? this.#inline(Buffer.concat(first), names)
        : await this.#intoFile(first, stream, names);
    } catch (error) {
      await stream.leave();
      throw systemErrorCode(error) === 'ENOSPC'
        ? new StoreError('disk-full', 'the disk is full: the body could not be written', { cause: error })
        : error;
    }
  }

  async #intoFile(first: readonly Buffer[], stream: ChunkGatherer, names: readonly DigestName[]): Promise<WrittenBody> {
    const file = await BodyFile.create(this.#options, names);
    try {
      for (let gathered = first; gathered.length > 0; gathered = stream.ended ? [] : await stream.next()) {
        await file.append(gathered);
      }
      return await file.finish();
    } catch (error) {
      await file.discard();
      throw error;
    }
  }
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Collects what arrives into block-sized lots, and holds the source to its declared length. */
class ChunkGatherer {
  readonly #source: AsyncIterator<Buffer>;
  readonly #length: number | undefined;
  readonly #lot: () => number;
  #rest: Buffer | undefined;
  size = 0;
  ended = false;

  constructor(source: AsyncIterable<Buffer>, length: number | undefined, lot: () => number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#length = length;
    this.#lot = lot;
  }

  /** Buffers of together at most one lot; less only at the end. */
  async next(): Promise<readonly Buffer[]> {
    const gathered: Buffer[] = [];
    let room = this.#lot();
    while (room > 0) {
      const chunk = this.#rest ?? (await this.#pull());
      this.#rest = undefined;
      if (chunk === undefined) break;
      if (chunk.length > room) {
        gathered.push(chunk.subarray(0, room));
        this.#rest = chunk.subarray(room);
        return gathered;
      }
      gathered.push(chunk);
      room -= chunk.length;
    }
    return gathered;
  }

  /** The rest is not wanted: whoever sends it must not wait for ever. */
  async leave(): Promise<void> {
    if (!this.ended) await this.#source.return?.();
  }

  async #pull(): Promise<Buffer | undefined> {
    const { value, done } = await this.#source.next();
    if (done === true) {
      this.ended = true;
      if (this.#length !== undefined && this.size < this.#length) throw this.#wrongLength();
      return undefined;
    }
    this.size += value.length;
    if (this.#length !== undefined && this.size > this.#length) throw this.#wrongLength();
    return value;
  }

  #wrongLength(): StoreError {
    return new StoreError('incomplete-body', `the body has ${this.size} bytes, ${this.#length} were declared`);
  }
}

class BodyFile {
  readonly #place: FilePlace;
  readonly #path: string;
  readonly #file: RawFile;
  readonly #sink: BodySink;
  readonly #options: BodyWriterOptions;
  readonly #underWay = new Set<Promise<void>>();
  #failure: unknown;
  #size = 0;

  static async create(options: BodyWriterOptions, names: readonly DigestName[]): Promise<BodyFile> {
    const place = await options.segments.file();
    const path = join(options.directory, bodyPath(place));
    try {
      const file = await RawFile.createNew(path);
      return new BodyFile(options, place, path, file, options.threads.begin(file, names));
    } catch (error) {
      place.done();
      throw error;
    }
  }

  private constructor(options: BodyWriterOptions, place: FilePlace, path: string, file: RawFile, sink: BodySink) {
    this.#options = options;
    this.#place = place;
    this.#path = path;
    this.#file = file;
    this.#sink = sink;
  }

  /** Sends a lot on its way. Waits only when too much is under way, of this body or of all. */
  async append(buffers: readonly Buffer[]): Promise<void> {
    while (this.#underWay.size >= WINDOW) await Promise.race(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
    const { budget } = this.#options;
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    await budget.take(bytes);
    this.#size += bytes;
    const step: Promise<void> = this.#sink
      .take(buffers)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        budget.give(bytes);
        this.#underWay.delete(step);
      });
    this.#underWay.add(step);
  }

  async finish(): Promise<WrittenBody> {
    await Promise.all(this.#underWay);
    if (this.#failure !== undefined) throw this.#failure;
    const [{ digests, sums }] = await Promise.all([this.#sink.finish(), this.#makeDurable()]);
    const size = this.#size;
    return {
      reference: { kind: 'file', segment: this.#place.segment, sequence: this.#place.sequence, size },
      inline: undefined,
      sums,
      digests,
      size,
      keep: () => this.#place.done(),
      discard: () => this.discard(),
    };
  }

  async discard(): Promise<void> {
    // Nothing may write to the descriptor any more when it is closed: its number is soon another file's.
    await Promise.all(this.#underWay);
    await this.#sink.cancel();
    await this.#file.close().catch(() => undefined);
    await rm(this.#path, { force: true });
    this.#place.done();
  }

  async #makeDurable(): Promise<void> {
    if (this.#options.durable) {
      // At once, so that one commit of the file system's journal serves both; the entry is there since the file was made.
      const syncs = await Promise.allSettled([this.#file.datasync(), this.#place.syncDirectory()]);
      for (const sync of syncs) if (sync.status === 'rejected') throw sync.reason;
    }
    await this.#file.close();
  }
}
