/** `bucketwright provider`: what is known of each provider, and what an endpoint is found to do beside it. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../src/client/index.ts';
import { features } from '../../src/providers/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { cleanEnvironment } from '../support/endpoint.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { commandLine } from '../support/paths.ts';
import { run } from '../support/run.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server?.stop());

const environment = (profile: string, url = server.url) =>
  cleanEnvironment({
    S3_ENDPOINT: url,
    S3_INSECURE: 'true',
    S3_REGION: server.region,
    S3_PROVIDER: profile,
    S3_FORCE_PATH_STYLE: 'true',
    S3_ACCESS_KEY_ID: server.accessKeyId,
    S3_SECRET_ACCESS_KEY: server.secretAccessKey,
  });

const provider = (args: readonly string[], profile = 'embedded') =>
  run(process.execPath, [commandLine, 'provider', ...args], {
    env: environment(profile),
    allow: [0, 2, 64],
    timeoutMs: 120_000,
  });

async function bucketsLeft(): Promise<readonly string[]> {
  const client = createClient(connectionTo(server, 'embedded'));
  const buckets = await client.listBuckets();
  client.close();
  return buckets.map(({ name }) => name);
}

const rows = z.object({
  provider: z.string(),
  features: z.array(z.object({ feature: z.string(), profile: z.string(), state: z.string(), comparison: z.string() })),
  left: z.array(z.unknown()),
});

test('every provider is listed, and one is shown with its rules and how a key is made there', async () => {
  const { stdout: list } = await provider(['list']);
  for (const name of [
    ...['embedded', 'minio', 'ceph', 'hetzner', 'aws', 'garage', 'seaweedfs'],
    ...['rustfs', 'r2', 'b2', 'wasabi', 'scaleway', 'ovh'],
  ]) {
    expect(list).toMatch(new RegExp(`^${name} `, 'm'));
  }
  const { stdout: shown } = await provider(['show', 'hetzner']);
  expect(shown).toContain('arn:aws:iam:::user/p<project id>:<access key id>');
  expect(shown).toMatch(/To make a key:\n {2}1\. open https:\/\/console\.hetzner\.com/);
  expect(shown).toMatch(/^prices +EUR, of \d{4}-\d\d-\d\d: bucketwright cost --for hetzner$/m);
  expect(await provider(['show', 'hetzer'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('did you mean hetzner?'),
  });
});

test('a probe prints each feature beside the profile, and leaves no bucket', async () => {
  const { code, stdout, stderr } = await provider(['probe']);
  expect(stderr).not.toContain('S3_PROVIDER');
  expect(code).toBe(0);
  for (const feature of features)
    expect(stdout).toMatch(new RegExp(`^${feature} +(?:yes|no|partial) +(?:yes|no|partial) `, 'm'));
  expect(stderr).toContain(`${features.length} features: ${features.length} as the profile says`);
  expect(await bucketsLeft()).toEqual([]);
}, 120_000);

test('less than the profile promises is named and ends with 2', async () => {
  const { code, stdout } = await provider(['probe', '--json'], 'aws');
  expect(code).toBe(2);
  const found = rows.parse(JSON.parse(stdout));
  expect(found).toMatchObject({ provider: 'aws', left: [] });
  const refuted = found.features.filter(({ comparison }) => comparison === 'refuted');
  // AWS's profile promises them; our server has neither.
  expect(refuted.map(({ feature }) => feature)).toEqual(
    expect.arrayContaining(['bucket-encryption', 'lifecycle-transitions']),
  );
  const less = await provider(['probe'], 'aws');
  expect(less.stdout).toMatch(/^bucket-encryption +yes +no +LESS /m);
  expect(less.stderr).toContain('name one that fits by S3_PROVIDER');
}, 120_000);

test('an interrupted probe removes what it made', async () => {
  await using front = await startFaultProxy(server);
  const child = spawn(process.execPath, [commandLine, 'provider', 'probe'], {
    env: environment('embedded', front.url),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Long enough for the signal to arrive before the next feature.
  front.inject(({ url }) => {
    if (!url.includes('?cors') || !child.kill('SIGINT')) return undefined;
    front.inject(() => undefined);
    return { kind: 'delay', ms: 2_000 };
  });
  let said = '';
  child.stderr.on('data', (part: Buffer) => {
    said += part.toString('utf8');
  });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  expect(code, said).toBe(1);
  expect(said).toContain('removing the scratch buckets');
  expect(said).toMatch(/features: .* not measured/);
  expect(await bucketsLeft()).toEqual([]);
}, 120_000);
