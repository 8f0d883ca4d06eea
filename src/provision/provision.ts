import { ClientError } from '../client/errors.ts';
import type { ObjectClient } from '../client/index.ts';

/** What became of one bucket. Nothing is ever deleted or changed. */
export type ProvisionResult =
  | { readonly bucket: string; readonly outcome: 'created' | 'exists' }
  | { readonly bucket: string; readonly outcome: 'owned-by-other' | 'failed'; readonly error: ClientError };

/** Creates the buckets that are missing, one after the other: some providers throttle creation hard. Idempotent. */
export async function* provisionBuckets(
  client: ObjectClient,
  buckets: readonly string[],
): AsyncGenerator<ProvisionResult> {
  for (const bucket of buckets) yield await provisionBucket(client, bucket);
}

async function provisionBucket(client: ObjectClient, bucket: string): Promise<ProvisionResult> {
  try {
    await client.headBucket(bucket);
    return { bucket, outcome: 'exists' };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    // A refused look does not tell whose bucket it is; the attempt to create it does.
    if (error.code !== 'no-such-bucket' && error.code !== 'denied') return { bucket, outcome: 'failed', error };
  }
  try {
    await client.createBucket(bucket);
    return { bucket, outcome: 'created' };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.code === 'already-owned') return { bucket, outcome: 'exists' };
    return { bucket, outcome: error.code === 'owned-by-other' ? 'owned-by-other' : 'failed', error };
  }
}
