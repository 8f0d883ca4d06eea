import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/errors.ts';
import { MiB } from '../../core/sizes.ts';
import { StoreError } from '../errors.ts';
import type { Index } from '../index/database.ts';
import { type BodyReference, bodyKey, bodyPath, type FileBody, type StoredBody } from './reference.ts';

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
  #file: { readonly body: BodyReference; readonly handle: FileHandle } | undefined;

  constructor(directory: string, index: Index, pieces: readonly Piece[]) {
    this.#directory = directory;
    this.#index = index;
    this.#pieces = pieces;
  }

  /** Opens the first file now. False when it is gone: the index entry read was already out of date. */
  async open(): Promise<boolean> {
    const first = this.#pieces.find(({ body }) => body.kind === 'file')?.body;
    if (first?.kind !== 'file') return true;
    try {
      await this.#handleOf(first);
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
      if (body.kind === 'file') yield* readFile(await this.#handleOf(body), from, to);
      else yield this.#inline(body).subarray(from, to);
    }
  }

  async close(): Promise<void> {
    await this.#file?.handle.close();
    this.#file = undefined;
  }

  #inline(body: StoredBody): Buffer {
    const inline = this.#index.inline.get(bodyKey(body));
    if (inline === undefined) throw new StoreError('damaged', 'the index refers to an inline body that is not there');
    return inline;
  }

  async #handleOf(body: FileBody): Promise<FileHandle> {
    if (this.#file?.body === body) return this.#file.handle;
    await this.close();
    const handle = await open(join(this.#directory, bodyPath(body)), 'r');
    this.#file = { body, handle };
    return handle;
  }
}

const CHUNK = MiB / 4;

/** Reads one chunk ahead, so that the disk works while the client takes the last one. */
async function* readFile(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  let position = start;
  let next = position < end ? readChunk(file, position, Math.min(CHUNK, end - position)) : undefined;
  while (next !== undefined) {
    const chunk = await next;
    position += chunk.length;
    next = position < end ? readChunk(file, position, Math.min(CHUNK, end - position)) : undefined;
    // A consumer that stops early leaves the read ahead behind; its failure is nobody's any more.
    next?.catch(() => undefined);
    yield chunk;
  }
}

async function readChunk(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead === length) return buffer;
  if (bytesRead === 0) throw new StoreError('damaged', 'a body file is shorter than the index says');
  return buffer.subarray(0, bytesRead);
}
