import {
  backUp,
  type Merger,
  type Method,
  type Opener,
  openSource,
  Repository,
  type RepositoryPlace,
  type Snapshot,
  type SourceStore,
} from '../../src/backup/index.ts';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { Secret } from '../../src/core/secret.ts';
import { type Connection, resolveConnection } from '../../src/providers/index.ts';
import { parseSettings } from '../../src/settings/index.ts';
import { bucketName, type S3Endpoint } from './endpoint.ts';

export const passphraseText = 'correct horse battery staple';
export const opener: Opener = { kind: 'passphrase', secret: new Secret(passphraseText) };

/** The settings that a command needs for an endpoint. */
export const endpointSettings = (endpoint: S3Endpoint): Readonly<Record<string, string>> => ({
  S3_ENDPOINT: endpoint.url,
  S3_INSECURE: 'true',
  S3_REGION: endpoint.region,
  S3_ACCESS_KEY_ID: endpoint.accessKeyId,
  S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
});

export function connectionOf(endpoint: S3Endpoint): Connection {
  const { storage } = parseSettings({ environment: { ...endpointSettings(endpoint) } });
  if (storage.kind !== 's3') throw new Error('no S3');
  return resolveConnection(storage);
}

export const clientOf = (endpoint: S3Endpoint): ObjectClient => createClient(connectionOf(endpoint), { sockets: 16 });

/** A new bucket. */
export async function freshPlace(client: ObjectClient): Promise<RepositoryPlace> {
  const bucket = bucketName('backup');
  await client.createBucket(bucket);
  return { client, bucket, prefix: 'nodes/', conditionalPut: true };
}

/** A repository in a new bucket, and what it keeps of one source. */
export async function freshStore(client: ObjectClient, source: string): Promise<SourceStore> {
  return (await Repository.init(await freshPlace(client), opener)).source(source);
}

export interface OneSource {
  readonly kind: 'mdbx' | 'directory';
  readonly path: string;
  readonly scratch: string;
}

interface OneOptions {
  readonly method?: Method;
  readonly mdbxCopy?: string;
  readonly full?: boolean;
  readonly merger?: Merger;
  readonly now?: number;
}

/** One snapshot of one source. */
export async function backUpOne(
  store: SourceStore,
  { kind, path, scratch }: OneSource,
  { method = 'reader', mdbxCopy, full = false, merger, now }: OneOptions = {},
): Promise<Snapshot> {
  const source = openSource({ kind, path, scratch, method, mdbxCopy, clock: { now: () => now ?? Date.now() } });
  const members = [{ store, source, path, merger }];
  const [snapshot] = await backUp({ members, name: undefined, hooks: { limit: 10_000 }, full });
  if (snapshot === undefined) throw new Error('no snapshot');
  return snapshot;
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
