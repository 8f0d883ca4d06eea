import { systemErrorCode } from '../../core/errors.ts';
import { MiB } from '../../core/sizes.ts';
import type { Index } from '../index/database.ts';
import type { ChunkSink } from '../port.ts';
import { openInline } from './inline.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { type BodyReference, bodyKey, type FileBody, type StoredBody } from './reference.ts';
import { VerifiedFile } from './verified-file.ts';

/** A body of an object, and where in the object it begins. */
export interface Piece {
  readonly body: BodyReference;
  readonly offset: number;
}

/**
 * Reads across the bodies that make up an object. The caller has pinned them (`Trash.pin`), so that a file is still there
 * when its turn comes: an object of 10,000 parts takes one file handle, not 10,000.
 */
export class BodyReader {
  readonly #directory: string;
  readonly #index: Index;
  readonly #pieces: readonly Piece[];
  readonly #buffers: ReadBuffers;
  #file: VerifiedFile | undefined;

  constructor(directory: string, index: Index, buffers: ReadBuffers, pieces: readonly Piece[]) {
    this.#directory = directory;
    this.#index = index;
    this.#buffers = buffers;
    this.#pieces = pieces;
  }

  /** Opens the first file now. False when it is gone: the index entry read was already out of date. */
  async open(): Promise<boolean> {
    const first = this.#pieces.find(({ body }) => body.kind === 'file')?.body;
    if (first?.kind !== 'file') return true;
    try {
      await this.#fileOf(first);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Bytes `start` to `end` (exclusive), each chunk freshly allocated. */
  async *read(start: number, end: number): AsyncGenerator<Buffer> {
    for (const { body, offset } of this.#pieces) {
      const from = Math.max(start - offset, 0);
      const to = Math.min(end - offset, body.size);
      if (to <= from || body.kind === 'empty') continue;
      if (body.kind === 'file') yield* readFile(await this.#fileOf(body), from, to);
      else yield this.#inline(body).subarray(from, to);
    }
  }

  /**
   * Bytes `start` to `end` (exclusive), handed to `sink` in order. A chunk is the sink's until its promise settles; while
   * one is taken the next is read. Ends early, with the sink's reason, when that rejects.
   */
  async send(start: number, end: number, sink: ChunkSink): Promise<void> {
    let before: Promise<void> = Promise.resolve();
    for (const { body, offset } of this.#pieces) {
      const from = Math.max(start - offset, 0);
      const to = Math.min(end - offset, body.size);
      if (to <= from || body.kind === 'empty') continue;
      if (body.kind === 'inline') {
        await before;
        await sink(this.#inline(body).subarray(from, to));
        continue;
      }
      const file = await this.#fileOf(body);
      for (let position = from; position < to; ) {
        const { read, taken } = await this.#sendChunk(file, position, to, before, sink);
        position += read;
        await before;
        before = taken;
      }
      // The file may be closed next.
      await before;
    }
    await before;
  }

  /** Resolves when the chunk was read and found intact; `taken` when the sink is done with it. */
  #sendChunk(file: VerifiedFile, position: number, end: number, before: Promise<void>, sink: ChunkSink) {
    return new Promise<{ readonly read: number; readonly taken: Promise<void> }>((resolve, reject) => {
      const taken: Promise<void> = this.#buffers.with(async (buffer) => {
        const chunk = await file.read(buffer, position, end).catch((error: unknown) => {
          reject(error);
          throw error;
        });
        resolve({ read: chunk.length, taken });
        await before;
        await sink(chunk);
      });
      // Whoever waits for `taken` hears of a failure; until then it must not count as unhandled.
      taken.catch(() => undefined);
    });
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  #inline(body: StoredBody): Buffer {
    return openInline(this.#index.inline.get(bodyKey(body)), body.size);
  }

  async #fileOf(body: FileBody): Promise<VerifiedFile> {
    if (this.#file?.body === body) return this.#file;
    await this.close();
    const file = await VerifiedFile.open(this.#directory, this.#index, body);
    this.#file = file;
    return file;
  }
}

const CHUNK = MiB / 4;

/** Reads one chunk ahead, so that the disk works while the client takes the last one. */
async function* readFile(file: VerifiedFile, start: number, end: number): AsyncGenerator<Buffer> {
  let position = start;
  let next = position < end ? readChunk(file, position, end) : undefined;
  while (next !== undefined) {
    const chunk = await next;
    position += chunk.length;
    next = position < end ? readChunk(file, position, end) : undefined;
    // A consumer that stops early leaves the read ahead behind; its failure is nobody's any more.
    next?.catch(() => undefined);
    yield chunk;
  }
}

function readChunk(file: VerifiedFile, start: number, end: number): Promise<Buffer> {
  return file.read(Buffer.allocUnsafeSlow(Math.min(CHUNK, file.span(start, end))), start, end);
}
