import { type Account, type BucketClient, ClientError } from '../client/index.ts';
import type { Connection } from '../providers/index.ts';
import { mapConcurrently } from '../provision/index.ts';
import { isolationOf } from './isolation.ts';
import type { LiveTenancy, LiveTenantUser } from './plan-model.ts';

const CONCURRENT_BUCKETS = 16;

/**
 * Reads what is there of buckets, policies and the account; changes nothing.
 * @param buckets those that the settings name; where bucket policies count, all others of the account are read as well
 * @throws ClientError when the endpoint cannot be asked
 */
export async function readTenancy(
  client: BucketClient,
  connection: Connection,
  buckets: readonly string[],
  users: readonly LiveTenantUser[] | undefined,
): Promise<LiveTenancy> {
  const policies = isolationOf(connection.provider).kind === 'principals';
  const account = policies ? await accountOf(client) : undefined;
  const all = [...new Set([...buckets, ...(account?.buckets ?? [])])];
  const found = await mapConcurrently(all, CONCURRENT_BUCKETS, async (bucket) => {
    return [bucket, await readOne(client, bucket, policies)] as const;
  });
  const seen = found.flatMap(([bucket, state]) => (state === 'hidden' ? [] : [[bucket, state] as const]));
  const hidden = found.flatMap(([bucket, state]) => (state === 'hidden' ? [bucket] : []));
  return { buckets: new Map(seen), hidden, users, project: account?.owner };
}

/** Undefined where the key may not list the account's buckets. */
async function accountOf(client: BucketClient): Promise<Account | undefined> {
  try {
    return await client.account();
  } catch (error) {
    if (error instanceof ClientError && error.code === 'denied') return undefined;
    throw error;
  }
}

async function readOne(client: BucketClient, bucket: string, policies: boolean) {
  try {
    if (policies) return { policy: await client.read(bucket, 'policy') };
    await client.location(bucket);
    return { policy: undefined };
  } catch (error) {
    if (error instanceof ClientError && error.code === 'no-such-bucket') return undefined;
    if (error instanceof ClientError && error.code === 'denied') return 'hidden';
    throw error;
  }
}
