/**
 * `npm run bench:fairness`: does what is large starve what is small? The p99 of GETs of 1 KiB while four PUTs of 1 GiB run,
 * and while a lifecycle run removes objects, against the same with nothing else, in turn. Options: `--rounds 5`,
 * `--seconds 5`, `--clients 16`, `--limit 5`, `--write` (docs/benchmarks.md). Exits with 1 above the limit.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { GiB, KiB } from '../src/core/sizes.ts';
import { streamedBody } from './drive/bodies.ts';
import { ask, bucket } from './drive/check.ts';
import { signer, unsignedPayload } from './drive/sign.ts';
import { Connection } from './drive/socket.ts';
import { runWrk, writeRequests } from './drive/wrk.ts';
import { machineFacts } from './machine.ts';
import { spreadOf } from './measure/percentile.ts';
import { cacheDirectory, repository } from './paths.ts';
import { replaceBetweenMarkers } from './report/document.ts';
import { startOurs, startOursOnAllCores, startSoakServer } from './servers/local.ts';
import type { Server, StartOptions } from './servers/server.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '16' },
    limit: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const clients = Number(values.clients);
const limit = Number(values.limit);
const LARGE = 4;
const OBJECTS = 1000;
/** More than a run removes while it is measured. */
const EXPIRING = 60_000;
const WRITERS = 32;
const markers = ['<!-- fairness:begin -->', '<!-- fairness:end -->'] as const;

/** What goes on beside the GETs: begins it; what it answers ends it, and says how much was done. */
type Beside = (server: Server) => Promise<() => Promise<string>>;

interface Case {
  readonly what: string;
  start(options: StartOptions): Promise<Server>;
  readonly beside: Beside;
}

interface Outcome {
  readonly what: string;
  readonly idle: number[];
  readonly loaded: number[];
  /** GETs a second. */
  readonly rates: { readonly idle: number; readonly loaded: number }[];
  done: string;
}

/** One connection's PUTs, one after the other, until it is told to stop. Answers the bytes that were sent. */
async function putOn(server: Server, number: number, goesOn: () => boolean): Promise<number> {
  const connection = new Connection(server.port);
  let sent = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const block of streamedBody(GiB)) {
      if (!goesOn()) return;
      yield block;
      sent += block.length;
    }
  }
  try {
    while (goesOn()) {
      const by = signer(new Date(), unsignedPayload);
      const target = `/${bucket}/large-${number}`;
      const head = [`PUT ${target} HTTP/1.1`, ...by.common, `Authorization: ${by.authorize('PUT', target)}`];
      const answer = connection.request(`${head.join('\r\n')}\r\nContent-Length: ${GiB}\r\n`, counted());
      // The one that is stopped in its middle is never answered.
      await Promise.race([answer, stopped(goesOn)]);
    }
  } finally {
    connection.close();
  }
  return sent;
}

async function stopped(goesOn: () => boolean): Promise<void> {
  while (goesOn()) await sleep(20);
}

const fourPuts: Beside = async (server) => {
  let loading = true;
  const began = performance.now();
  const puts = Array.from({ length: LARGE }, (_, number) => putOn(server, number, () => loading));
  await sleep(500);
  return async () => {
    loading = false;
    const bytes = (await Promise.all(puts)).reduce((sum, sent) => sum + sent, 0);
    return `${(bytes / 1e6 / ((performance.now() - began) / 1000)).toFixed(0)} MB/s`;
  };
};

const expiringKey = (number: number): string => `expiring/${String(number).padStart(6, '0')}`;
const rules =
  '<LifecycleConfiguration><Rule><ID>expiring</ID><Filter><Prefix>expiring/</Prefix></Filter><Status>Enabled</Status>' +
  '<Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration></Rule></LifecycleConfiguration>';

/** The server's days are short, so it looks for rules once a second. */
const lifecycleRun: Beside = async (server) => {
  const keys = Array.from({ length: EXPIRING }, (_, number) => expiringKey(number)).values();
  await Promise.all(Array.from({ length: WRITERS }, () => putAll(server, keys)));
  await put(server, `/${bucket}?lifecycle`, Buffer.from(rules));
  const before = await waitForRemovals(server);
  const began = performance.now();
  return async () => {
    const took = (performance.now() - began) / 1000;
    const after = await countExpiring(server);
    await ask(server, 'DELETE', `/${bucket}?lifecycle`);
    if (after === 0) throw new Error('the lifecycle run was over too early: take fewer --seconds');
    return `${((before - after) / took).toFixed(0)} removed/s`;
  };
};

async function put(server: Server, target: string, body: Buffer): Promise<void> {
  const connection = new Connection(server.port);
  try {
    await putOne(connection, target, body);
  } finally {
    connection.close();
  }
}

async function putAll(server: Server, keys: Iterable<string>): Promise<void> {
  const connection = new Connection(server.port);
  const body = Buffer.alloc(KiB, 'x');
  try {
    for (const key of keys) await putOne(connection, `/${bucket}/${key}`, body);
  } finally {
    connection.close();
  }
}

async function putOne(connection: Connection, target: string, body: Buffer): Promise<void> {
  const by = signer(new Date(), unsignedPayload);
  const head = [`PUT ${target} HTTP/1.1`, ...by.common, `Authorization: ${by.authorize('PUT', target)}`];
  const { status } = await connection.request(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n`, body);
  if (status !== 200) throw new Error(`PUT ${target} answered ${status}`);
}

async function countExpiring(server: Server): Promise<number> {
  let count = 0;
  for (let after = ''; ; ) {
    let text = '';
    const answer = await ask(
      server,
      'GET',
      `/${bucket}?list-type=2&prefix=expiring%2F&start-after=${after}`,
      (bytes) => {
        text += bytes.toString('latin1');
      },
    );
    text ||= answer.text;
    const keys = [...text.matchAll(/<Key>([^<]*)</g)].map(([, key = '']) => key);
    count += keys.length;
    if (!text.includes('<IsTruncated>true<')) return count;
    after = encodeURIComponent(keys.at(-1) ?? '');
  }
}

async function waitForRemovals(server: Server): Promise<number> {
  for (let waited = 0; waited < 600; waited += 1) {
    const count = await countExpiring(server);
    if (count < EXPIRING) return count;
    await sleep(50);
  }
  throw new Error('no lifecycle run within half a minute');
}

async function measure(server: Server, file: string, beside: Beside, outcome: Outcome): Promise<void> {
  const quiet = await runWrk(server.port, file, clients, seconds);
  const end = await beside(server);
  const busy = await runWrk(server.port, file, clients, seconds);
  outcome.done = await end();
  if (quiet.errors + busy.errors > 0) throw new Error(`${quiet.errors} and ${busy.errors} requests failed`);
  outcome.idle.push(quiet.p99Ms);
  outcome.loaded.push(busy.p99Ms);
  outcome.rates.push({ idle: quiet.answered / quiet.seconds, loaded: busy.answered / busy.seconds });
}

const SHORT_DAY = '10s';
const cases: readonly Case[] = [
  { what: 'four PUTs of 1 GiB, one process', start: startOurs, beside: fourPuts },
  { what: 'four PUTs of 1 GiB, a process a core', start: startOursOnAllCores, beside: fourPuts },
  {
    what: 'a lifecycle run, one process',
    start: (options) => startSoakServer(options, '1', SHORT_DAY),
    beside: lifecycleRun,
  },
  {
    what: 'a lifecycle run, a process a core',
    start: (options) => startSoakServer(options, 'auto', SHORT_DAY),
    beside: lifecycleRun,
  },
];

const runs = join(cacheDirectory, 'runs');
mkdirSync(runs, { recursive: true });
const scratch = mkdtempSync(join(runs, 'f'));
const machine = machineFacts(scratch);
try {
  const outcomes: Outcome[] = [];
  for (const { what, start, beside } of cases) {
    const directory = mkdtempSync(join(scratch, 'd'));
    const server = await start({ directory });
    try {
      await ask(server, 'PUT', `/${bucket}`);
      const targets = Array.from({ length: OBJECTS }, (_, number) => `/${bucket}/small-${number}`);
      const by = signer(new Date(), unsignedPayload);
      await putAll(
        server,
        targets.map((target) => target.slice(bucket.length + 2)),
      );
      const file = join(directory, 'requests');
      writeRequests(file, { method: 'GET', bodyBytes: 0, once: false, targets }, by);
      const outcome: Outcome = { what, idle: [], loaded: [], rates: [], done: '' };
      for (let round = 0; round < rounds; round += 1) await measure(server, file, beside, outcome);
      outcomes.push(outcome);
    } finally {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  }
  const rows = outcomes.map(({ what, idle, loaded, rates, done }) => {
    const [quiet, busy] = [spreadOf(idle).median, spreadOf(loaded).median];
    const median = (of: (rate: Outcome['rates'][number]) => number) => spreadOf(rates.map(of)).median.toFixed(0);
    const ratio = busy / quiet;
    return {
      ratio,
      line: `| ${what} | ${quiet.toFixed(2)} ms | ${busy.toFixed(2)} ms | ${ratio.toFixed(1)}× | ${median((rate) => rate.idle)} | ${median((rate) => rate.loaded)} | ${done} |`,
    };
  });
  const worst = Math.max(...rows.map(({ ratio }) => ratio));
  const report = [
    `Measured ${new Date().toISOString().slice(0, 10)}: ${rounds} rounds of ${seconds} s, ${clients} clients, medians; ${machine.cores} cores, which the driver shares; load before the run ${machine.loadBefore.toFixed(1)}, after it ${(loadavg()[0] ?? 0).toFixed(1)}.`,
    '',
    '| beside | p99 alone | p99 beside it | ratio | GET/s alone | beside it | done meanwhile (last round) |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...rows.map(({ line }) => line),
    '',
    `Target: within ${limit} times; ${worst <= limit ? 'met' : '**missed**'} (${worst.toFixed(1)}).`,
  ].join('\n');
  process.stdout.write(`${report}\n`);
  if (values.write) {
    const page = join(repository, 'docs', 'benchmarks.md');
    writeFileSync(page, replaceBetweenMarkers(readFileSync(page, 'utf8'), report, markers));
  }
  if (!(worst <= limit)) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
