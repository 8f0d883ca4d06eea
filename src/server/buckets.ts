import { type ObjectStore, StoreError } from '../store/index.ts';
import { ROOT_PRINCIPAL, type ServerOptions } from './options.ts';

/** Makes the buckets that the options name, where they are missing. */
export async function makeBuckets(store: ObjectStore, { buckets = [], region }: ServerOptions): Promise<void> {
  for (const name of buckets) {
    try {
      await store.createBucket({ name, owner: ROOT_PRINCIPAL, region });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'bucket-exists')) throw error;
    }
  }
}
