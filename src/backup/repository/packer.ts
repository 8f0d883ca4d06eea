import { MiB } from '../../core/sizes.ts';
import type { Sink } from '../source/port.ts';
import type { BlobRef, DocumentRef } from './model.ts';
import type { SourceStore } from './source-store.ts';

const PACK_BYTES = 16 * MiB;
const UPLOADS = 2;

type Writable = { -readonly [K in keyof BlobRef]: BlobRef[K] };

/**
 * Gathers blobs into packs of about 16 MiB and uploads them, some at once: memory stays at a few packs whatever is stored.
 * Blobs are packed and sealed side by side, and put into packs in the order in which they were added.
 */
export class Packer implements Sink {
  readonly #store: SourceStore;
  #parts: Buffer[] = [];
  #pending: Writable[] = [];
  #size = 0;
  /** Resolves when all that was added is in a pack. */
  #order: Promise<void> = Promise.resolve();
  readonly #uploads = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  raw = 0;
  stored = 0;

  constructor(store: SourceStore) {
    this.#store = store;
  }

  async add(plain: Buffer): Promise<BlobRef> {
    const sealing = this.#store.sealBlob(plain);
    const added = this.#order.then(async () => {
      const { bytes, facts } = await sealing;
      this.raw += plain.length;
      this.stored += bytes.length;
      return this.#put(bytes, facts);
    });
    this.#order = added.then(
      () => undefined,
      () => undefined,
    );
    return added;
  }

  /** @throws what an upload failed with */
  async finish(): Promise<void> {
    await this.#order;
    await this.#flush();
    await Promise.all(this.#uploads);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  document(content: unknown): Promise<DocumentRef> {
    return this.#store.putDocument('layer', content);
  }

  async #put(bytes: Buffer, facts: Pick<BlobRef, 'codec' | 'raw' | 'tag'>): Promise<BlobRef> {
    const ref = { pack: '', offset: this.#size, length: bytes.length, ...facts };
    this.#parts.push(bytes);
    this.#pending.push(ref);
    this.#size += bytes.length;
    if (this.#size >= PACK_BYTES) await this.#flush();
    return ref;
  }

  async #flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#size === 0) return;
    const [bytes, refs] = [Buffer.concat(this.#parts), this.#pending];
    [this.#parts, this.#pending, this.#size] = [[], [], 0];
    const upload = this.#store
      .putPack(bytes)
      .then((name) => {
        for (const ref of refs) ref.pack = name;
      })
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#uploads.delete(upload));
    this.#uploads.add(upload);
    if (this.#uploads.size >= UPLOADS) await Promise.race(this.#uploads);
  }
}
