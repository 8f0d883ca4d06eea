import { createClient } from '../client/index.ts';
import type { Finding } from '../core/finding.ts';
import type { Connection } from '../providers/index.ts';
import { checkAddressing, checkBucket, checkCredentials } from './access.ts';
import { Canaries, type CanaryPlace, checkCanary, checkDefaultChecksum, checkMultipart } from './canary.ts';
import { skipped } from './check.ts';
import { checkClock, checkReachable, checkTls } from './network.ts';

/**
 * Proves an S3 API with real requests, one finding a check, in the order in which they depend on each other: what an
 * earlier failure makes pointless is skipped. Leaves nothing behind, also when the caller stops listening.
 */
export async function* verify(connection: Connection, places: readonly CanaryPlace[]): AsyncGenerator<Finding> {
  const { endpoint } = connection;
  const reachable = await checkReachable(endpoint);
  yield reachable;
  if (reachable.status === 'fail') return yield skipped('s3', endpoint.url, 'everything else waits for the endpoint');
  const tls = await checkTls(endpoint);
  yield tls;
  if (tls.status === 'fail') return yield skipped('s3', endpoint.url, 'everything else waits for TLS');
  yield await checkClock(endpoint);

  const client = createClient(connection, { idleMs: 15_000 });
  const canaries = new Canaries();
  try {
    const credentials = await checkCredentials(client, connection);
    yield credentials;
    if (credentials.status === 'fail')
      return yield skipped('buckets', endpoint.url, 'everything else waits for the credentials');
    const [first] = places;
    if (first === undefined) return;
    const addressing = await checkAddressing(client, connection, first.bucket);
    yield addressing;
    if (addressing.status === 'fail') return yield skipped('buckets', endpoint.url, 'the buckets cannot be addressed');
    const usable = new Set<string>();
    for (const bucket of new Set(places.map((place) => place.bucket))) {
      const findings = await checkBucket(client, bucket);
      if (findings.every(({ status }) => status === 'ok')) usable.add(bucket);
      yield* findings;
    }
    for (const place of places) {
      if (usable.has(place.bucket)) yield* checkCanary(client, canaries, place);
      else yield skipped('canary', `${place.bucket}/${place.prefix}`, 'the bucket is not usable');
    }
    const place = places.find(({ bucket }) => usable.has(bucket));
    if (place === undefined) return;
    yield await checkDefaultChecksum(connection, canaries, place);
    yield await checkMultipart(client, canaries, place);
  } finally {
    const left = await canaries.cleanUp(client);
    client.close();
    yield* left;
  }
}
