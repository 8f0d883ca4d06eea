import { type BucketClient, ClientError, createExchange, readXml } from '../client/index.ts';
import type { Connection } from '../providers/index.ts';
import { isolationOf } from './isolation.ts';
import type { LiveTenancy, LiveTenantUser } from './plan-model.ts';

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
  const all = policies ? [...new Set([...buckets, ...(await owned(client))])] : buckets;
  const found = new Map<string, Awaited<ReturnType<typeof readOne>>>();
  for (const bucket of all) found.set(bucket, await readOne(client, bucket, policies));
  return { buckets: found, users, project: policies ? await projectOfKey(connection) : undefined };
}

async function owned(client: BucketClient): Promise<readonly string[]> {
  try {
    return await client.list();
  } catch (error) {
    if (error instanceof ClientError && error.code === 'denied') return [];
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
    throw error;
  }
}

/** On RADOS Gateways the owner of a listing is the user: all keys of it reach all its buckets. */
async function projectOfKey(connection: Connection): Promise<string | undefined> {
  const exchange = createExchange(connection, { timeoutMs: 20_000, sockets: 1 });
  try {
    const { status, body } = await exchange.send({ method: 'GET', bucket: undefined, query: '' });
    if (status !== 200) return undefined;
    const owner = readXml(body)?.children.find(({ name }) => name === 'Owner');
    const id = owner?.children.find(({ name }) => name === 'ID')?.text;
    return id === undefined || id === '' ? undefined : id;
  } finally {
    exchange.close();
  }
}
