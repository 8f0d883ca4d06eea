/**
 * `npm run bench:ready`: is the time to ready after a crash independent of the number of objects? Options:
 * `--objects 1000,1000000`, `--rounds 15`, `--limit 1.5`, `--write` (docs/benchmarks.md). Exits with 1 above the limit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { KiB, MiB } from '../src/core/sizes.ts';
import { signer, unsignedPayload } from './drive/sign.ts';
import { Connection } from './drive/socket.ts';
import { fill } from './fill.ts';
import { machineFacts } from './machine.ts';
import { spreadOf } from './measure/percentile.ts';
import { cacheDirectory, repository } from './paths.ts';
import { replaceBetweenMarkers } from './report/document.ts';
import { credentials, freePort, region } from './servers/server.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '1000,1000000' },
    rounds: { type: 'string', default: '15' },
    limit: { type: 'string', default: '1.5' },
    write: { type: 'boolean', default: false },
  },
});

const BUCKET = 'ready';
const CONNECTIONS = 32;
const markers = ['<!-- ready:begin -->', '<!-- ready:end -->'] as const;
const say = (text: string): void => {
  process.stderr.write(`bench:ready: ${text}\n`);
};

interface Subject {
  readonly objects: number;
  readonly data: string;
  readonly milliseconds: number[];
}

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly milliseconds: number;
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}

/** The built command line on that data, and how long it took from its start to ready. */
async function start(data: string): Promise<Started> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const began = performance.now();
  const child = spawn(process.execPath, [join(repository, 'bin', 'bucketwright.cjs'), 'serve'], {
    cwd: data,
    env: {
      ...process.env,
      BUCKETWRIGHT_DATA: data,
      BUCKETWRIGHT_LISTEN: `127.0.0.1:${port}`,
      BUCKETWRIGHT_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      S3_ACCESS_KEY_ID: credentials.accessKeyId,
      S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      S3_REGION: region,
    },
    stdio: 'ignore',
  });
  for (let attempt = 0; attempt < 30_000; attempt += 1) {
    if (await isReady(adminPort)) return { child, port, milliseconds: performance.now() - began };
    if (child.exitCode !== null) throw new Error(`serve on ${data} ended with ${child.exitCode}`);
    await sleep(1);
  }
  child.kill('SIGKILL');
  throw new Error(`serve on ${data} did not become ready`);
}

/** Kills the server while it writes: what recovery finds is a crash, not a tidy end. The keys stay the same ones. */
async function crash({ child, port }: Started): Promise<void> {
  const by = signer(new Date(), unsignedPayload);
  let acknowledged = 0;
  const write = async (number: number): Promise<void> => {
    const target = `/${BUCKET}/written-at-the-crash/${number}`;
    const head = [`PUT ${target} HTTP/1.1`, ...by.common, `Authorization: ${by.authorize('PUT', target)}`];
    const body = Buffer.alloc(number % 2 === 0 ? KiB : MiB, 'w');
    const connection = new Connection(port);
    try {
      for (;;) {
        const { status } = await connection.request(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n`, body);
        if (status === 200) acknowledged += 1;
      }
    } catch {
      // killed
    } finally {
      connection.close();
    }
  };
  const load = Array.from({ length: CONNECTIONS }, (_, number) => write(number));
  for (let waited = 0; acknowledged < CONNECTIONS && waited < 30_000; waited += 20) await sleep(20);
  await sleep(Math.random() * 200);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await Promise.all(load);
  if (acknowledged === 0) throw new Error('the server took no write within 30 s');
}

function table(subjects: readonly Subject[], rounds: number): string {
  const base = spreadOf(subjects[0]?.milliseconds ?? []).median;
  const rows = subjects.map(({ objects, milliseconds }) => {
    const { median, min, max } = spreadOf(milliseconds);
    const cells = [median, min, max].map((value) => `${value.toFixed(0)} ms`);
    return `| ${objects.toLocaleString('en')} | ${cells.join(' | ')} | ${(median / base).toFixed(2)} |`;
  });
  return [
    `Over ${rounds} crashes each, in turn:`,
    '',
    '| objects | median | least | greatest | ratio |',
    '|---:|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

const rounds = Number(values.rounds);
const limit = Number(values.limit);
const runs = join(cacheDirectory, 'runs');
mkdirSync(runs, { recursive: true });
const scratch = mkdtempSync(join(runs, 'y'));
const machine = machineFacts(scratch);
try {
  const subjects: Subject[] = [];
  for (const objects of values.objects.split(',').map(Number)) {
    const data = join(scratch, String(objects));
    mkdirSync(data);
    const began = performance.now();
    await fill(data, BUCKET, objects, (done) => say(`${done.toLocaleString('en')} objects`));
    say(`${objects.toLocaleString('en')} objects filled in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    subjects.push({ objects, data, milliseconds: [] });
  }
  // The first start of each follows a tidy end and is not counted.
  for (const { data } of subjects) await crash(await start(data));
  for (let round = 0; round < rounds; round += 1) {
    for (const { objects, data, milliseconds } of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const started = await start(data);
      milliseconds.push(started.milliseconds);
      say(
        `round ${round + 1}: ${objects.toLocaleString('en')} objects: ready after ${started.milliseconds.toFixed(0)} ms`,
      );
      await crash(started);
    }
  }
  const text = table(subjects, rounds);
  const load = `load before the run ${machine.loadBefore.toFixed(1)}, after it ${(loadavg()[0] ?? 0).toFixed(1)}`;
  const facts = `Machine: ${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, ${machine.filesystem}, Node ${machine.node}; ${load}.`;
  const medians = subjects.map(({ milliseconds }) => spreadOf(milliseconds).median);
  const ratio = Math.max(...medians) / (medians[0] ?? Number.NaN);
  const verdict = `Target: within ${limit} times; ${ratio <= limit ? 'met' : '**missed**'} (${ratio.toFixed(2)}).`;
  const report = `Measured ${new Date().toISOString().slice(0, 10)}. ${facts}\n\n${text}\n\n${verdict}`;
  process.stdout.write(`${report}\n`);
  if (values.write) {
    const page = join(repository, 'docs', 'benchmarks.md');
    writeFileSync(page, replaceBetweenMarkers(readFileSync(page, 'utf8'), report, markers));
  }
  if (!(ratio <= limit)) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
