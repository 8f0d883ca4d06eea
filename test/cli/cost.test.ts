import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { cleanEnvironment, type DisposableEndpoint, testEndpoint } from '../support/endpoint.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

const amount = z.object({ objects: z.number(), bytes: z.number() });
const reportSchema = z.object({
  places: z.array(
    z.object({ use: z.string(), now: amount, retentionMs: z.number().nullable(), steadyState: amount, perDay: amount }),
  ),
  estimates: z.array(
    z.object({
      provider: z.string(),
      asOf: z.string(),
      now: z.object({ total: z.number() }).nullable(),
      steadyState: z.object({ total: z.number() }),
    }),
  ),
});

let endpoint: DisposableEndpoint;
let scratch: TemporaryDirectory;
beforeAll(async () => {
  endpoint = await testEndpoint();
  scratch = await temporaryDirectory('cost');
  const { url, region, accessKeyId, secretAccessKey } = endpoint;
  const client = new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  for (const Bucket of ['cost-loki', 'cost-tempo']) await client.send(new CreateBucketCommand({ Bucket }));
  for (let number = 0; number < 5; number += 1) {
    const Body = 'x'.repeat(1000);
    await client.send(new PutObjectCommand({ Bucket: 'cost-loki', Key: `fake/${number}`, Body }));
  }
  await client.send(new PutObjectCommand({ Bucket: 'cost-tempo', Key: 'block', Body: Buffer.alloc(200_000) }));
  client.destroy();
});
afterAll(async () => {
  await endpoint?.[Symbol.asyncDispose]();
  await scratch?.remove();
});

function cost(args: readonly string[], { connected = true, allow = [0] } = {}) {
  const env = cleanEnvironment(
    connected
      ? {
          S3_ENDPOINT: endpoint.url,
          S3_INSECURE: 'true',
          S3_ACCESS_KEY_ID: endpoint.accessKeyId,
          S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
          S3_BUCKET_LOKI: 'cost-loki',
          S3_BUCKET_TEMPO: 'cost-tempo',
        }
      : {},
  );
  return run('node', [commandLine, 'cost', ...args], { env, allow, cwd: scratch.path });
}

test('what is in the buckets is counted, and priced on every list', async () => {
  const { stdout } = await cost(['--json']);
  const { places, estimates } = reportSchema.parse(JSON.parse(stdout));
  expect(places).toMatchObject([
    { use: 'loki', now: { objects: 5, bytes: 5000 } },
    { use: 'tempo', now: { objects: 1, bytes: 200_000 } },
  ]);
  expect(estimates.map(({ provider }) => provider)).toContain('hetzner');
  for (const { now } of estimates) expect(now?.total).toBeGreaterThanOrEqual(0);
});

test('expected rates need no endpoint, and retention makes the steady state', async () => {
  const rates = ['--logs-per-day', '2GiB', '--retention-logs', '10d', '--for', 'hetzner'];
  const { stdout } = await cost([...rates, '--json'], { connected: false });
  const { places, estimates } = reportSchema.parse(JSON.parse(stdout));
  expect(places).toMatchObject([{ use: 'loki', retentionMs: 864_000_000, steadyState: { bytes: 20 * 1024 ** 3 } }]);
  expect(estimates).toMatchObject([{ provider: 'hetzner', now: null, steadyState: { total: 6.49 } }]);
  const { stdout: text } = await cost(rates, { connected: false });
  expect(text).toMatch(/hetzner .*prices of \d{4}-\d\d-\d\d, https:/);
  expect(text).toContain('6.49 EUR');
});

test('price lists of a file come before ours', async () => {
  const prices = join(scratch.path, 'prices.yaml');
  const list = 'provider: hetzner\ncurrency: EUR\nasOf: 2027-01-01\nsource: a letter\ngigabyte: 1000000000\n';
  await writeFile(prices, `${list}storagePerGB: 1\n`);
  const { stdout } = await cost(['--logs-per-day', '1GiB', '--retention-logs', '24h', '--prices', prices], {
    connected: false,
  });
  expect(stdout).toContain('prices of 2027-01-01, a letter');
  expect(stdout).toMatch(/total +1\.07 EUR/);
});

test.each([
  [['--for', 'hetzer', '--logs-per-day', '1GiB'], 64, /no price list of hetzer; there are hetzner/],
  [['--logs-per-day', 'much'], 64, /such as 500MiB/],
  [['--prices', 'absent.yaml', '--logs-per-day', '1GiB'], 64, /absent\.yaml cannot be read \(ENOENT\)/],
  [[], 64, /S3_ENDPOINT is not set.*--logs-per-day/],
])('cost %j without an endpoint ends with %d and says why', async (args, code, message) => {
  const ended = await cost(args, { connected: false, allow: [code] });
  expect(ended.stderr).toMatch(message);
  expect(ended.stdout).toBe('');
});
