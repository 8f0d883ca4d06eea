/**
 * `npm run bench:fairness`: do large transfers starve small ones? The p99 of GETs of 1 KiB while four PUTs of 1 GiB run,
 * against the same with nothing else, in turn. Options: `--rounds 5`, `--seconds 5`, `--clients 16`, `--limit 5`, `--write`
 * (docs/benchmarks.md). Exits with 1 above the limit.
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
import { startOurs, startOursOnAllCores } from './servers/local.ts';
import type { Server } from './servers/server.ts';

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
const markers = ['<!-- fairness:begin -->', '<!-- fairness:end -->'] as const;

interface Outcome {
  readonly what: string;
  readonly idle: number[];
  readonly loaded: number[];
  /** GETs a second, and MB/s of the PUTs beside them. */
  readonly rates: { idle: number; loaded: number; put: number }[];
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

async function measure(server: Server, file: string, outcome: Outcome): Promise<void> {
  const quiet = await runWrk(server.port, file, clients, seconds);
  let loading = true;
  const began = performance.now();
  const puts = Array.from({ length: LARGE }, (_, number) => putOn(server, number, () => loading));
  await sleep(500);
  const busy = await runWrk(server.port, file, clients, seconds);
  loading = false;
  const bytes = (await Promise.all(puts)).reduce((sum, sent) => sum + sent, 0);
  const put = bytes / 1e6 / ((performance.now() - began) / 1000);
  if (quiet.errors + busy.errors > 0) throw new Error(`${quiet.errors} and ${busy.errors} requests failed`);
  outcome.idle.push(quiet.p99Ms);
  outcome.loaded.push(busy.p99Ms);
  outcome.rates.push({ idle: quiet.answered / quiet.seconds, loaded: busy.answered / busy.seconds, put });
}

const runs = join(cacheDirectory, 'runs');
mkdirSync(runs, { recursive: true });
const scratch = mkdtempSync(join(runs, 'f'));
const machine = machineFacts(scratch);
try {
  const outcomes: Outcome[] = [];
  for (const [what, start] of [
    ['one process', startOurs],
    ['a process a core', startOursOnAllCores],
  ] as const) {
    const directory = mkdtempSync(join(scratch, 'd'));
    const server = await start({ directory });
    try {
      await ask(server, 'PUT', `/${bucket}`);
      const targets = Array.from({ length: OBJECTS }, (_, number) => `/${bucket}/small-${number}`);
      const by = signer(new Date(), unsignedPayload);
      const connection = new Connection(server.port);
      for (const target of targets) {
        const head = [`PUT ${target} HTTP/1.1`, ...by.common, `Authorization: ${by.authorize('PUT', target)}`];
        await connection.request(`${head.join('\r\n')}\r\nContent-Length: ${KiB}\r\n`, Buffer.alloc(KiB, 'x'));
      }
      connection.close();
      const file = join(directory, 'requests');
      writeRequests(file, { method: 'GET', bodyBytes: 0, once: false, targets }, by);
      const outcome: Outcome = { what, idle: [], loaded: [], rates: [] };
      for (let round = 0; round < rounds; round += 1) await measure(server, file, outcome);
      outcomes.push(outcome);
    } finally {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  }
  const rows = outcomes.map(({ what, idle, loaded, rates }) => {
    const [quiet, busy] = [spreadOf(idle).median, spreadOf(loaded).median];
    const median = (of: (rate: Outcome['rates'][number]) => number) => spreadOf(rates.map(of)).median.toFixed(0);
    const ratio = busy / quiet;
    return {
      ratio,
      line: `| ${what} | ${quiet.toFixed(2)} ms | ${busy.toFixed(2)} ms | ${ratio.toFixed(1)}× | ${median((rate) => rate.idle)} | ${median((rate) => rate.loaded)} | ${median((rate) => rate.put)} |`,
    };
  });
  const worst = Math.max(...rows.map(({ ratio }) => ratio));
  const report = [
    `Measured ${new Date().toISOString().slice(0, 10)}: ${rounds} rounds of ${seconds} s, ${clients} clients, medians; ${machine.cores} cores, which the driver shares; load before the run ${machine.loadBefore.toFixed(1)}, after it ${(loadavg()[0] ?? 0).toFixed(1)}.`,
    '',
    '| | p99 alone | p99 beside four PUTs of 1 GiB | ratio | GET/s alone | beside | PUT, MB/s |',
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
