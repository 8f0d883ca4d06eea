import type { Index } from './database.ts';
import { bucketPrefix } from './keys.ts';

/** Objects and bytes a bucket, kept in the same commit as the objects themselves: one write a bucket and commit. */
export class UsageCounters {
  readonly #index: Index;
  readonly #pending = new Map<number, { objects: number; bytes: number }>();

  constructor(index: Index) {
    this.#index = index;
  }

  /** Called inside a transaction. */
  add(bucketId: number, objects: number, bytes: number): void {
    const pending = this.#pending.get(bucketId);
    if (pending === undefined) this.#pending.set(bucketId, { objects, bytes });
    else {
      pending.objects += objects;
      pending.bytes += bytes;
    }
  }

  /** Called last in the transaction. */
  write(): void {
    for (const [bucketId, change] of this.#pending) {
      const key = bucketPrefix(bucketId);
      const now = this.#index.usage.get(key);
      this.#index.usage.putSync(key, {
        objects: (now?.objects ?? 0) + change.objects,
        bytes: (now?.bytes ?? 0) + change.bytes,
      });
    }
    this.#pending.clear();
  }

  /** Called inside a transaction, when the bucket goes. */
  remove(bucketId: number): void {
    this.#pending.delete(bucketId);
    this.#index.usage.removeSync(bucketPrefix(bucketId));
  }

  read(bucketId: number): { readonly objects: number; readonly bytes: number } {
    return this.#index.usage.get(bucketPrefix(bucketId)) ?? { objects: 0, bytes: 0 };
  }
}
