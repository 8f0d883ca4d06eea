import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type ObjectClient } from '../../src/client/index.ts';
import { compare, type Measurement, probe } from '../../src/probe/index.ts';
import { measuredRows } from '../../src/providers/index.ts';
import { bucketName, type DisposableEndpoint } from '../support/endpoint.ts';
import { connectionTo, onEach } from './targets.ts';

onEach('probe', (target) => {
  let endpoint: DisposableEndpoint;
  let client: ObjectClient;
  const bystander = bucketName('bystander');
  beforeAll(async () => {
    endpoint = await target.start();
    client = createClient(connectionTo(endpoint, target.name));
    await client.createBucket(bystander);
    await client.put({ bucket: bystander, key: 'kept', body: { bytes: 'kept' } });
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await endpoint?.[Symbol.asyncDispose]();
  });

  test('measures every feature as the profile says or better, and leaves nothing behind', {
    timeout: 120_000,
  }, async () => {
    const connection = connectionTo(endpoint, target.name);
    const seen: Measurement[] = [];
    const { measurements, left } = await probe(connection, { onMeasured: (measurement) => seen.push(measurement) });
    expect(left).toEqual([]);
    expect(measurements.filter(({ state }) => state === 'unknown')).toEqual([]);
    expect(seen).toHaveLength(measurements.length);
    const rows = measurements.map((measurement) => compare(measurement, connection.provider));
    expect(rows.filter(({ comparison }) => comparison === 'refuted')).toEqual([]);
    // The published table: any Ceph that was measured, and our own server as it is now.
    const states = Object.fromEntries(measurements.map(({ feature, state }) => [feature, state]));
    const published = measuredRows.filter(({ provider }) => provider === target.name);
    expect(published.map(({ features }) => features)).toContainEqual(states);
    expect((await client.listBuckets()).map(({ name }) => name)).toEqual([bystander]);
    expect((await client.head({ bucket: bystander, key: 'kept' })).size).toBe(4);
  });
});
