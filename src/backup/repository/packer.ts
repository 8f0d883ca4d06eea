import { MiB } from '../../core/sizes.ts';
import type { BlobRef } from './model.ts';
import type { SourceStore } from './source-store.ts';

const PACK_BYTES = 16 * MiB;
const AT_ONCE = 2;

/**
 * Gathers blobs into packs of about 16 MiB and uploads them, two at once: memory stays at a few packs whatever is stored.
 * A blob's reference is complete when `finish` has returned.
 */
export class Packer {
  readonly #store: SourceStore;
  #parts: Buffer[] = [];
  #pending: { -readonly [K in keyof BlobRef]: BlobRef[K] }[] = [];
  #size = 0;
  readonly #uploads = new Set<Promise<void>>();
  #failure: unknown;
  raw = 0;
  stored = 0;

  constructor(store: SourceStore) {
    this.#store = store;
  }

  async add(plain: Buffer): Promise<BlobRef> {
    const { bytes, facts } = this.#store.sealBlob(plain);
    const ref = { pack: '', offset: this.#size, length: bytes.length, ...facts };
    this.#parts.push(bytes);
    this.#pending.push(ref);
    this.#size += bytes.length;
    this.raw += plain.length;
    this.stored += bytes.length;
    if (this.#size >= PACK_BYTES) await this.#flush();
    return ref;
  }

  /** @throws what an upload failed with */
  async finish(): Promise<void> {
    await this.#flush();
    await Promise.all(this.#uploads);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#size === 0) return;
    const [bytes, refs] = [Buffer.concat(this.#parts), this.#pending];
    this.#parts = [];
    this.#pending = [];
    this.#size = 0;
    const upload = this.#store
      .putPack(bytes)
      .then((name) => {
        for (const ref of refs) ref.pack = name;
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#uploads.delete(upload));
    this.#uploads.add(upload);
    if (this.#uploads.size >= AT_ONCE) await Promise.race(this.#uploads);
  }
}
