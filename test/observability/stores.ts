import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { resolveConnection } from '../../src/providers/index.ts';
import type { Settings } from '../../src/settings/index.ts';
import type { DisposableEndpoint } from '../support/endpoint.ts';
import { rgwMissing, startRgw } from '../support/rgw.ts';
import { startServer } from '../support/server.ts';

/** An S3 that the loops run on. */
export interface Store {
  readonly name: string;
  readonly provider: string;
  /** Why it cannot be had here; undefined: it can. */
  readonly missing: string | undefined;
  start(): Promise<DisposableEndpoint>;
}

export const stores: readonly Store[] = [
  { name: 'the embedded server', provider: 'embedded', missing: undefined, start: () => startServer() },
  { name: 'Ceph', provider: 'ceph', missing: rgwMissing(), start: startRgw },
];

export function clientOf({ storage }: Settings): ObjectClient {
  if (storage.kind !== 's3') throw new TypeError('these settings name no S3');
  return createClient(resolveConnection(storage));
}

/** Every object below a prefix, with its size. */
export async function objectsBelow(
  client: ObjectClient,
  bucket: string,
  prefix: string,
): Promise<ReadonlyMap<string, number>> {
  const objects = new Map<string, number>();
  for await (const entry of client.list({ bucket, prefix })) {
    if (entry.kind === 'object') objects.set(entry.key, entry.size);
  }
  return objects;
}
