import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { resolveConnection } from '../../src/providers/index.ts';
import { parseSettings } from '../../src/settings/index.ts';
import type { Server } from '../servers/server.ts';
import { s3Environment } from './tools.ts';

export function clientOf(server: Server): ObjectClient {
  const { storage } = parseSettings({ environment: { ...s3Environment(server) } });
  if (storage.kind !== 's3') throw new Error('no S3');
  return createClient(resolveConnection(storage), { sockets: 16 });
}

/** Bytes of all objects. */
export async function bucketSize(client: ObjectClient, bucket: string): Promise<number> {
  let bytes = 0;
  for await (const entry of client.list({ bucket })) if (entry.kind === 'object') bytes += entry.size;
  return bytes;
}
