import type { Index } from './index/database.ts';
import { bucketPrefix, configurationKey } from './index/keys.ts';
import type { BucketConfigurationKind } from './port.ts';

interface Remembered {
  readonly bytes: Buffer;
  readonly text: string;
}

/** Values kept as text, so that a policy of 20 KiB is not decoded anew for every request. */
const MAX_REMEMBERED = 10_000;

/**
 * What is configured on a bucket. The index is asked every time, so a value that another process has set is seen by the
 * next request; only its decoding is remembered, and an unchanged value is the same string, which a parser may use as the
 * key of what it keeps.
 */
export class BucketConfigurations {
  readonly #index: Index;
  readonly #remembered = new Map<string, Remembered>();

  constructor(index: Index) {
    this.#index = index;
  }

  /** Also inside a transaction. */
  get(bucketId: number, kind: BucketConfigurationKind): string | undefined {
    const bytes = this.#index.configurations.get(configurationKey(bucketId, kind));
    if (bytes === undefined) return undefined;
    const name = `${bucketId} ${kind}`;
    const known = this.#remembered.get(name);
    if (known?.bytes.equals(bytes)) return known.text;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    const text = bytes.toString('utf8');
    this.#remembered.set(name, { bytes, text });
    return text;
  }

  /** Inside a transaction. */
  set(bucketId: number, kind: BucketConfigurationKind, value: string | undefined): void {
    const key = configurationKey(bucketId, kind);
    if (value === undefined) this.#index.configurations.removeSync(key);
    else this.#index.configurations.putSync(key, Buffer.from(value, 'utf8'));
  }

  /** Inside a transaction, when the bucket goes. */
  removeAll(bucketId: number): void {
    const range = { start: bucketPrefix(bucketId), end: bucketPrefix(bucketId + 1) };
    for (const key of [...this.#index.configurations.getKeys(range)]) this.#index.configurations.removeSync(key);
  }
}
