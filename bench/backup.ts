/**
 * `npm run bench:backup`: our backups beside restic's and beside `mdbx_copy` with an upload, on one environment and one
 * embedded server, in turns. About 15 minutes on a quiet machine with two cores.
 *
 *   --quick           512 MiB, one round, a short continuous part (about 3 minutes)
 *   --size 4GiB       of the environment
 *   --rounds 2        of the whole
 *   --seconds 60      of each continuous part
 *   --increments 10000  for the restore of a point in time; 0: not measured
 *   --json FILE       every figure
 *   --write           rewrite docs/benchmarks-backup.md
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseBytes } from '../src/core/sizes.ts';
import { type Continuous, continuous } from './backup/continuous.ts';
import { type Increments, manyIncrements } from './backup/increments.ts';
import { cpuOf, type Measured } from './backup/measured.ts';
import { report } from './backup/report.ts';
import { bucketSize, clientOf } from './backup/storage.ts';
import {
  type Bench,
  contentDigest,
  copyAndUpload,
  helper,
  missingTools,
  ours,
  restic,
  type Tool,
} from './backup/tools.ts';
import { machineFacts } from './machine.ts';
import { cacheDirectory, repository } from './paths.ts';
import { startOurs } from './servers/local.ts';

/** One tool's figures of one round. */
export interface Round {
  readonly tool: Tool['name'];
  readonly first: Measured & { readonly bytes: number; readonly serverCpu: number };
  readonly increment: Measured & { readonly bytes: number; readonly read: number | undefined };
  readonly restore: Measured & { readonly serverCpu: number };
}

export interface Results {
  readonly machine: ReturnType<typeof machineFacts>;
  readonly environmentBytes: number;
  readonly values: number;
  readonly rounds: readonly Round[];
  readonly continuous: Continuous;
  readonly increments: Increments | undefined;
  readonly restic: string;
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    size: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    increments: { type: 'string' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const size = parseBytes(values.size ?? (values.quick ? '512MiB' : '4GiB')) ?? 0;
const rounds = Number(values.rounds ?? (values.quick ? 1 : 2));
const seconds = Number(values.seconds ?? (values.quick ? 20 : 60));
const increments = Number(values.increments ?? (values.quick ? 200 : 10_000));
const missing = missingTools();
if (missing !== undefined) throw new Error(`not measured: ${missing}`);
const say = (text: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

mkdirSync(cacheDirectory, { recursive: true });
const directory = mkdtempSync(join(cacheDirectory, 'backup-'));
try {
  const results = await everything();
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  const text = report(results);
  process.stdout.write(text);
  if (values.write) writeFileSync(join(repository, 'docs/benchmarks-backup.md'), text);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function everything(): Promise<Results> {
  const machine = machineFacts(directory);
  const environment = join(directory, 'environment');
  say(`filling ${environment}`);
  const count = Number(execFileSync(helper, ['fill', environment, '4096', '1', String(size)], { encoding: 'utf8' }));
  const all: Round[] = [];
  for (let round = 0; round < rounds; round++) all.push(...(await oneRound(environment, count, round)));
  const continued = await withServer((bench) => continuous({ ...bench, environment }, seconds, say));
  const point = increments === 0 ? undefined : await withServer((bench) => manyIncrements(bench, increments, say));
  return {
    machine,
    environmentBytes: statSync(environment).size,
    values: count,
    rounds: all,
    continuous: continued,
    increments: point,
    restic: execFileSync('/usr/bin/restic', ['version'], { encoding: 'utf8' }).trim(),
  };
}

/** A server of its own for each, so that none pays for what another has stored. */
async function withServer<T>(body: (bench: Omit<Bench, 'environment'>) => Promise<T>): Promise<T> {
  const home = mkdtempSync(join(directory, 'server-'));
  const server = await startOurs({ directory: home });
  try {
    return await body({ server, directory: home });
  } finally {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function oneRound(environment: string, count: number, round: number): Promise<readonly Round[]> {
  const kinds = [ours, restic, copyAndUpload];
  // Each round begins with another.
  const order = kinds.map((_, index) => kinds[(index + round) % kinds.length]).filter((kind) => kind !== undefined);
  return withServer(async (place) => {
    const bench = { ...place, environment };
    const client = clientOf(bench.server);
    const tools = order.map((kind) => kind(bench));
    const first = new Map<string, Round['first']>();
    for (const tool of tools) {
      if (tool.name !== 'restic') await client.createBucket(tool.bucket).catch(() => undefined);
      await tool.init();
      say(`first backup by ${tool.name}`);
      const before = cpuOf(bench.server.pids);
      const measured = await tool.backUp();
      const serverCpu = cpuOf(bench.server.pids) - before;
      first.set(tool.name, { ...measured, bytes: await bucketSize(client, tool.bucket), serverCpu });
    }
    const changed = Math.round(count / 100);
    say(`replacing ${changed} of ${count} values`);
    execFileSync(helper, ['touch', environment, String(100 + round), String(changed), '20']);
    const found: Round[] = [];
    for (const tool of tools) {
      const stored = first.get(tool.name);
      if (stored === undefined) continue;
      say(`increment by ${tool.name}`);
      const increment = await tool.backUp();
      const bytes = (await bucketSize(client, tool.bucket)) - (tool.name === 'mdbx_copy' ? 0 : stored.bytes);
      const read = tool.name === 'ours' ? readBytes(increment.stdout) : undefined;
      say(`restore by ${tool.name}`);
      const target = join(bench.directory, `restored-${tool.name}`);
      const before = cpuOf(bench.server.pids);
      const restored = await tool.restore(target);
      const serverCpu = cpuOf(bench.server.pids) - before;
      const file = tool.name === 'ours' ? target : join(target, tool.name === 'restic' ? environment : 'environment');
      if (!existsSync(file)) throw new Error(`${tool.name} restored nothing to ${file}`);
      if (tool.name === 'ours' && (await contentDigest(file)) !== (await contentDigest(environment))) {
        throw new Error('what was restored differs from the environment');
      }
      rmSync(target, { recursive: true, force: true });
      const round = { tool: tool.name, first: stored, increment: { ...increment, bytes, read } } as const;
      found.push({ ...round, restore: { ...restored, serverCpu } });
    }
    client.close();
    return found;
  });
}

function readBytes(stdout: string): number {
  const answer: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}');
  return Number(Object(answer).readBytes);
}
