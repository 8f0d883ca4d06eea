import { ClientError, type ObjectClient } from '../client/index.ts';
import type { Finding } from '../core/finding.ts';
import type { Connection } from '../providers/index.ts';
import { check } from './check.ts';

/** Whether the provider knows the key and accepts its signature. A key that may not list buckets still holds. */
export function checkCredentials(client: ObjectClient, connection: Connection): Promise<Finding> {
  return check(
    {
      id: 'credentials',
      subject: connection.endpoint.url,
      expected: 'the provider accepts the signature of this key',
      why: 'every request is signed with it',
    },
    async () => {
      try {
        const buckets = await client.listBuckets();
        return `accepted; the key sees ${buckets.length} ${buckets.length === 1 ? 'bucket' : 'buckets'}`;
      } catch (error) {
        if (error instanceof ClientError && error.code === 'denied')
          return 'accepted; the key may not list all buckets';
        throw error;
      }
    },
  );
}

/** Whether buckets are found the way they are addressed: in the path, or in the host name. */
export function checkAddressing(client: ObjectClient, connection: Connection, bucket: string): Promise<Finding> {
  const style = connection.forcePathStyle ? 'path style' : 'virtual-host style';
  const { scheme, authority } = connection.endpoint;
  const address = connection.forcePathStyle
    ? `${scheme}://${authority}/${bucket}`
    : `${scheme}://${bucket}.${authority}`;
  return check(
    {
      id: 'path-style',
      subject: address,
      expected: `${style} requests are understood`,
      why: 'every request addresses its bucket this way',
      advice: `set S3_FORCE_PATH_STYLE=${!connection.forcePathStyle}`,
    },
    async () => {
      try {
        await client.headBucket(bucket);
      } catch (error) {
        // Both are answers about the bucket: it was understood, and its own check says the rest.
        if (!(error instanceof ClientError) || (error.code !== 'no-such-bucket' && error.code !== 'denied')) {
          throw connection.forcePathStyle || !(error instanceof ClientError)
            ? error
            : new ClientError(error.code, error.message, { cause: error, advice: 'set S3_FORCE_PATH_STYLE=true' });
        }
      }
      return `${style} works`;
    },
  );
}

/** Whether a bucket is there, and its objects may be listed. */
export async function checkBucket(client: ObjectClient, bucket: string): Promise<readonly Finding[]> {
  const present = await check(
    {
      id: 'bucket-present',
      subject: bucket,
      expected: 'the bucket exists and belongs to this key',
      why: 'Loki and Tempo stop or lose data without their bucket',
    },
    async () => {
      await client.headBucket(bucket);
      return 'present';
    },
  );
  if (present.status !== 'ok') return [present];
  const listable = await check(
    {
      id: 'bucket-listable',
      subject: bucket,
      expected: 'the key may list the bucket',
      why: 'Loki, Tempo and backups find their objects by listing',
    },
    async () => {
      for await (const _ of client.list({ bucket, pageSize: 1 })) break;
      return 'listable';
    },
  );
  return [present, listable];
}
