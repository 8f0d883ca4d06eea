/**
 * `npm run bench:artifacts`: the artifact store against the plain client and against an empty node:http, on an embedded server
 * that it starts. Options: `--quick` (a quarter of the size, one round), `--rounds 3`, `--size 1GiB`, `--write` (into
 * docs/benchmarks-artifacts.md), `--json FILE`. Exits with 1 when a target is missed.
 */
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { artifacts } from '../../src/artifacts/index.ts';
import { createClient } from '../../src/client/index.ts';
import { MiB, parseBytes } from '../../src/core/sizes.ts';
import { resolveConnection } from '../../src/providers/index.ts';
import { parseSettings } from '../../src/settings/index.ts';
import { machineFacts } from '../machine.ts';
import { cacheDirectory, repository } from '../paths.ts';
import { replaceBetweenMarkers } from '../report/document.ts';
import { startNull, startOurs } from '../servers/local.ts';
import { credentials, region, type Server } from '../servers/server.ts';
import { countingProxy } from './counting-proxy.ts';
import { type Action, type JobResult, runJob } from './jobs.ts';
import { measureListing } from './listing.ts';
import { renderArtifactReport } from './report.ts';
import { measureResolve, startApi } from './resolve.ts';

const BUCKET = 'bench-artifacts';
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    size: { type: 'string' },
    write: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? '1' : '3'));
const size = parseBytes(values.size ?? (values.quick ? '256MiB' : '1GiB')) ?? Number.NaN;
const seconds = values.quick ? 2 : 5;
const versions = values.quick ? 2_000 : 10_000;
const page = join(repository, 'docs', 'benchmarks-artifacts.md');
const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);

function environmentFor(port: number): Record<string, string> {
  return {
    S3_ENDPOINT: `http://127.0.0.1:${port}`,
    S3_INSECURE: 'true',
    S3_PROVIDER: 'embedded',
    S3_REGION: region,
    S3_ACCESS_KEY_ID: credentials.accessKeyId,
    S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    S3_BUCKET_ARTIFACTS: BUCKET,
  };
}

function writeRandom(file: string): void {
  const handle = openSync(file, 'w');
  const block = Buffer.allocUnsafe(8 * MiB);
  for (let written = 0; written < size; written += block.length) {
    writeSync(handle, randomFillSync(block), 0, Math.min(block.length, size - written));
  }
  closeSync(handle);
}

async function transfer(file: string, environment: Record<string, string>) {
  const runs = new Map<Action, JobResult[]>();
  const measured = async (action: Action): Promise<void> => {
    const result = await runJob(action, file, environment);
    runs.set(action, [...(runs.get(action) ?? []), result]);
    say(
      `${action}: ${(result.milliseconds / 1000).toFixed(2)} s, client CPU ${(result.cpuMilliseconds / 1000).toFixed(2)} s, peak RSS ${result.peakRssMiB.toFixed(0)} MiB`,
    );
  };
  for (let round = 0; round < rounds; round += 1) {
    // Each is followed by what it is compared with, and rounds begin with the other one.
    const puts: Action[] = ['plain-put', 'push', 'unsigned-put'];
    await runJob('forget', file, environment);
    for (const action of round % 2 === 0 ? puts : puts.toReversed()) await measured(action);
    const gets: Action[] = ['plain-get', 'pull', 'plain-stream'];
    for (const action of round % 2 === 0 ? gets : gets.toReversed()) await measured(action);
  }
  return runs;
}

async function main(): Promise<void> {
  const began = Date.now();
  const runs = join(cacheDirectory, 'runs');
  mkdirSync(runs, { recursive: true });
  const scratch = mkdtempSync(join(runs, 'a'));
  const machine = machineFacts(scratch);
  const servers: Server[] = [];
  const stopAll = async (): Promise<void> => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    rmSync(scratch, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stopAll().then(() => process.exit(130)));
  try {
    const server = await startOurs({ directory: scratch });
    servers.push(server);
    const environment = environmentFor(server.port);
    const { storage } = parseSettings({ environment, flags: new Map() });
    if (storage.kind !== 's3') throw new Error('no S3');
    const connection = resolveConnection(storage);
    const client = createClient(connection);
    await client.createBucket(BUCKET);
    const file = join(scratch, 'bundle');
    writeRandom(file);
    const transfers = await transfer(file, environment);

    const proxy = await countingProxy(server.port);
    const second = await runJob('push-again', file, environmentFor(proxy.port));
    await proxy.close();
    const again = { uploaded: second.uploaded ?? Number.NaN, sent: proxy.count.sent };
    say(`second push: ${again.uploaded} bytes of content, ${again.sent} bytes on the wire`);

    const listing = await measureListing(connection, BUCKET, versions, values.quick ? 5 : 15);
    say(`${versions} versions listed`);

    const store = artifacts({ client, bucket: BUCKET, prefix: '', provider: connection.provider });
    const small = join(scratch, 'small');
    writeFileSync(small, 'x');
    await store.push({ name: 'bench', version: 'small', path: small });
    const reference = { by: 'version', name: 'bench', version: 'small' } as const;
    await store.promote({ reference, channel: 'live', by: 'bench' });
    client.close();
    const ceiling = await startNull({ directory: scratch });
    servers.push(ceiling);
    const api = await startApi(scratch, environment);
    servers.push(api.server);
    const target = { port: api.server.port, token: api.token };
    const resolve = await measureResolve(target, ceiling.port, scratch, values.quick ? 2 : 5, seconds);

    const command = ['npm run bench:artifacts', ...(values.quick ? ['-- --quick'] : [])].join(' ');
    const report = {
      command,
      date: new Date(began).toISOString(),
      machine,
      loadAfter: loadavg()[0] ?? 0,
      size,
      transfers,
      again,
      resolve,
      listing,
    };
    const { text, met } = renderArtifactReport(report);
    process.stdout.write(`${text}\n`);
    if (values.json !== undefined) {
      writeFileSync(
        values.json,
        `${JSON.stringify({ ...report, transfers: Object.fromEntries(transfers) }, undefined, 1)}\n`,
      );
    }
    if (values.write) {
      const markers = ['<!-- artifacts:begin -->', '<!-- artifacts:end -->'] as const;
      writeFileSync(page, replaceBetweenMarkers(readFileSync(page, 'utf8'), text, markers));
    }
    if (!met) process.exitCode = 1;
  } finally {
    await stopAll();
  }
  say(`${Math.round((Date.now() - began) / 1000)} s in all`);
}

await main();
