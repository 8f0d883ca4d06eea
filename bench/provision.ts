/**
 * `npm run bench:provision`: does a plan take at most 1.5 times what its requests take when they are sent bare, and at most
 * eight a bucket, and does the command stay below 120 MiB? Options: `--buckets 100`, `--rules 10`, `--rounds 5`,
 * `--limit 1.5`, `--memory 120`. Runs against a Ceph RADOS Gateway that it starts. Exits with 1 above a limit.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createBucketClient } from '../src/client/configuration/bucket-client.ts';
import { Secret } from '../src/core/secret.ts';
import { MiB } from '../src/core/sizes.ts';
import { resolveConnection } from '../src/providers/index.ts';
import { applyPlan, planProvisioning } from '../src/provision/index.ts';
import { parseSettings } from '../src/settings/index.ts';
import { EMPTY_SHA256, signRequest } from '../src/sigv4/index.ts';
import { watchMemory } from './measure/memory.ts';
import { cacheDirectory, repository } from './paths.ts';
import { startRgw } from './servers/rgw.ts';
import { credentials, region } from './servers/server.ts';

const { values } = parseArgs({
  options: {
    buckets: { type: 'string', default: '100' },
    rules: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    limit: { type: 'string', default: '1.5' },
    memory: { type: 'string', default: '120' },
  },
});
const [buckets, rules, rounds, limit, memory] = [
  values.buckets,
  values.rules,
  values.rounds,
  values.limit,
  values.memory,
].map(Number);
const CONCURRENT = 16;
const subresources = ['versioning', 'object-lock', 'tagging', 'cors', 'lifecycle', 'publicAccessBlock', 'policy'];

function manifest(): string {
  const names = Array.from({ length: buckets ?? 0 }, (_, index) => `bench-plan-${index}`);
  const list = Array.from({ length: rules ?? 0 }, (_, rule) => `{ id: r${rule}, prefix: p${rule}/, expireAfter: 30d }`);
  const entries = names.map((name) => `  - { name: ${name}, versioning: enabled, lifecycle: [${list.join(', ')}] }`);
  return `loki: { bucket: bench-plan-0 }\ntempo: { bucket: bench-plan-0 }\nbuckets:\n${entries.join('\n')}\n`;
}

/** The plan's requests without the plan: signed, sent and read to the end, as many at once. */
async function bare(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENT });
  const secret = new Secret(credentials.secretAccessKey);
  const paths = Array.from({ length: buckets ?? 0 }, (_, index) => `/bench-plan-${index}`);
  const wanted = [['/', ''], ...paths.flatMap((path) => subresources.map((word) => [path, `${word}=`]))];
  const began = performance.now();
  let next = 0;
  const worker = async () => {
    for (let entry = wanted[next++]; entry !== undefined; entry = wanted[next++]) {
      const [rawPath = '/', rawQuery = ''] = entry;
      const headers = { host: `127.0.0.1:${port}`, 'x-amz-content-sha256': EMPTY_SHA256 };
      const signer = { accessKeyId: credentials.accessKeyId, secret, region, now: Date.now() };
      const signed = signRequest({ method: 'GET', rawPath, rawQuery, headers }, { kind: 'empty' }, signer);
      const path = rawQuery === '' ? rawPath : `${rawPath}?${rawQuery}`;
      // This one breaks its connection on some releases, for everybody.
      const own = rawQuery.startsWith('publicAccessBlock') ? false : agent;
      await new Promise<void>((resolve, reject) => {
        const options = { host: '127.0.0.1', port, path, headers: { ...headers, ...signed.headers }, agent: own };
        get(options, (answer) => answer.resume().on('end', resolve).on('error', reject)).on('error', reject);
      });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  agent.destroy();
  return performance.now() - began;
}

/** The resident set of `bucketwright provision plan`, at its greatest, in bytes. */
async function memoryOfCommand(port: number): Promise<number> {
  writeFileSync(join(directory, 'bucketwright.yaml'), manifest());
  const child = spawn(process.execPath, [join(repository, 'bin/bucketwright.cjs'), 'provision', 'plan'], {
    cwd: directory,
    env: { ...process.env, ...environment(port) },
    stdio: 'ignore',
  });
  const watched = watchMemory(child.pid === undefined ? [] : [child.pid]);
  const [code] = await once(child, 'close');
  const { resident } = watched.stop();
  if (code !== 0) throw new Error(`provision plan ended with ${code}`);
  return resident;
}

const environment = (port: number) => ({
  S3_ENDPOINT: `http://127.0.0.1:${port}`,
  S3_INSECURE: 'true',
  S3_REGION: region,
  S3_PROVIDER: 'ceph',
  S3_ACCESS_KEY_ID: credentials.accessKeyId,
  S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

mkdirSync(cacheDirectory, { recursive: true });
const directory = mkdtempSync(join(cacheDirectory, 'plan-'));
const server = await startRgw({ directory });
try {
  const settings = parseSettings({
    environment: environment(server.port),
    yaml: { path: 'bench.yaml', text: manifest() },
  });
  if (settings.storage.kind !== 's3') throw new Error('no S3');
  const connection = resolveConnection(settings.storage);
  const setup = createBucketClient(connection);
  const { plan } = await planProvisioning(settings, connection, setup);
  for await (const { error } of applyPlan(setup, plan, { profile: connection.provider })) if (error) throw error;
  setup.close();
  const [planned, sent]: [number[], number[]] = [[], []];
  let requests = 0;
  // In turns, so that a busy machine hits both.
  for (let round = 0; round < (rounds ?? 1); round += 1) {
    sent.push(await bare(server.port));
    const client = createBucketClient(connection);
    const began = performance.now();
    await planProvisioning(settings, connection, client);
    planned.push(performance.now() - began);
    requests = client.requests;
    client.close();
  }
  const ratio = median(planned) / median(sent);
  const perBucket = (requests - 1) / (buckets ?? 1);
  const peak = (await memoryOfCommand(server.port)) / MiB;
  process.stdout.write(
    `plan of ${buckets} buckets with ${rules} rules: ${median(planned).toFixed(0)} ms, bare ${median(sent).toFixed(0)} ms: ${ratio.toFixed(2)} times (limit ${limit}); ${perBucket.toFixed(1)} requests a bucket (limit 8); the command's peak ${peak.toFixed(0)} MiB (limit ${memory})\n`,
  );
  if (ratio > (limit ?? 1.5) || perBucket > 8 || peak > (memory ?? 120)) process.exitCode = 1;
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
