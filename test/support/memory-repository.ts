import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { type PageFile, writePieces } from '../../src/backup/repository/pieces.ts';
import type { BlobStore, Placed, Sink, Wanted } from '../../src/backup/source/port.ts';

type Blob = Awaited<ReturnType<Sink['add']>>;
type Document = Awaited<ReturnType<Sink['document']>>;

/** Keeps what a source stores in memory, one blob a pack, for tests of sources without a repository. */
export class MemoryRepository implements Sink, BlobStore {
  readonly #blobs = new Map<string, Buffer>();
  readonly #documents = new Map<string, unknown>();
  /** Bytes that were added so far. */
  added = 0;
  /** Told before each blob is kept; may throw. */
  onAdd: () => Promise<void> | void = () => undefined;

  async add(bytes: Buffer): Promise<Blob> {
    // What is changed after this resolves must not show.
    const kept = Buffer.from(bytes);
    await this.onAdd();
    const pack = createHash('sha256').update(String(this.#blobs.size)).update(kept).digest('hex');
    this.#blobs.set(pack, kept);
    this.added += kept.length;
    return { pack, offset: 0, length: kept.length, codec: 'none', raw: kept.length, tag: pack.slice(0, 32) };
  }

  async finish(): Promise<void> {}

  async document(content: unknown): Promise<Document>;
  async document<T>(ref: Document, schema: z.ZodType<T>): Promise<T>;
  async document<T>(content: unknown, schema?: z.ZodType<T>): Promise<Document | T> {
    if (schema === undefined) {
      const name = createHash('sha256').update(JSON.stringify(content)).digest('hex');
      this.#documents.set(name, structuredClone(content));
      return { name, bytes: JSON.stringify(content).length };
    }
    const { name } = Object(content);
    return schema.parse(this.#documents.get(String(name)));
  }

  async *blobs<T>(wanted: readonly Wanted<T>[]): AsyncGenerator<{ readonly what: T; readonly bytes: Buffer }> {
    for (const { blob, what } of wanted) {
      const bytes = this.#blobs.get(blob.pack);
      if (bytes === undefined) throw new Error(`no blob ${blob.pack}`);
      yield { what, bytes: Buffer.from(bytes) };
    }
  }

  async *write(placed: readonly Placed[], file: PageFile): AsyncGenerator<readonly Placed[]> {
    const wanted = placed.map((what) => ({ blob: what.blob, what }));
    for await (const { what, bytes } of this.blobs(wanted)) {
      writePieces(file, bytes, what.pieces);
      yield [what];
    }
  }
}
