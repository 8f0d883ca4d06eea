/**
 * `npm run bench:growth`: what a server costs as objects and clients grow. One data directory grows from 1,000 to 10,000,000
 * objects; at each size a server is started on it, crashed, started again and asked. Then the clients grow. Writes tables and
 * plots with `--write`. Options: `--objects 1000,…`, `--clients 1,…`, `--seconds 2`, `--json FILE`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { signer, unsignedPayload } from './drive/sign.ts';
import { runWrk, writeRequests } from './drive/wrk.ts';
import { fill, filledKey } from './fill.ts';
import { machineFacts } from './machine.ts';
import { cpuOf } from './measure/cpu.ts';
import { memoryOf, watchMemory } from './measure/memory.ts';
import { spreadOf } from './measure/percentile.ts';
import { cacheDirectory, repository } from './paths.ts';
import { replaceBetweenMarkers } from './report/document.ts';
import {
  type Asked,
  type ClientsPoint,
  type Compared,
  growthCharts,
  growthText,
  type Kind,
  type Pair,
  type SizePoint,
} from './report/growth.ts';
import { crash, type Started, start, stop } from './servers/crashing.ts';

const DEFAULTS = { objects: '1000,10000,100000,1000000,10000000', clients: '1,4,16,64,256,1024', seconds: '2' };
const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: DEFAULTS.objects },
    clients: { type: 'string', default: DEFAULTS.clients },
    seconds: { type: 'string', default: DEFAULTS.seconds },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

const BUCKET = 'growth';
/** Of every object: the index is what grows, 10,000,000 of 1 KiB would measure the disk. */
const BODY_BYTES = 128;
const CLIENTS = 64;
/** What the other sizes are compared with. */
const BASE = 10_000;
const STARTS = 3;
const READY_PAIRS = 7;
const ASKED_PAIRS = 10;
const markers = ['<!-- growth:begin -->', '<!-- growth:end -->'] as const;
const say = (text: string): void => {
  process.stderr.write(`bench:growth: ${text}\n`);
};

/** What whoever repeats it types; where the figures went besides is nobody's business. */
function commandLine({ objects, clients, seconds: time }: typeof values): string {
  const own = objects === DEFAULTS.objects && clients === DEFAULTS.clients && time === DEFAULTS.seconds;
  return own
    ? 'npm run bench:growth -- --write'
    : `npm run bench:growth -- --objects ${objects} --clients ${clients} --seconds ${time}`;
}

const sizes = values.objects.split(',').map(Number);
const clientNumbers = values.clients.split(',').map(Number);
const seconds = Number(values.seconds);
const runs = join(cacheDirectory, 'runs');
mkdirSync(runs, { recursive: true });
const scratch = mkdtempSync(join(runs, 'g'));
const list = join(scratch, 'requests.txt');

/** Always the same sequence, so that runs can be compared. */
let state = 1;
function below(limit: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

let written = 0;

function targetsOf(kind: Kind, objects: number): readonly string[] {
  switch (kind) {
    case 'get':
      return Array.from({ length: 10_000 }, () => `/${BUCKET}/${filledKey(below(objects))}`);
    case 'list': {
      const page = (from: number) => (from === 0 ? '' : `&start-after=${encodeURIComponent(filledKey(from - 1))}`);
      const room = Math.max(1, objects - 1000);
      return Array.from(
        { length: 500 },
        () => `/${BUCKET}?list-type=2&max-keys=1000&prefix=object%2F${page(below(room))}`,
      );
    }
    case 'put':
      written += 1;
      return Array.from({ length: 20_000 * seconds }, (_, number) => `/${BUCKET}/written/${written}/${number}`);
  }
}

/** @throws {Error} where answers fail: a rate of failures would look good */
async function ask(server: Started, kind: Kind, objects: number, clients: number, time: number): Promise<Asked> {
  const request = { method: kind === 'put' ? 'PUT' : 'GET', bodyBytes: kind === 'put' ? BODY_BYTES : 0, once: false };
  writeRequests(list, { ...request, targets: targetsOf(kind, objects) }, signer(new Date(), unsignedPayload));
  const watch = watchMemory([server.pid]);
  const before = cpuOf([server.pid]);
  const run = await runWrk(server.port, list, clients, time);
  const cpuMs = cpuOf([server.pid]) - before;
  const { resident, file } = watch.stop();
  if (run.errors > 0) throw new Error(`${run.errors} of ${run.answered} ${kind} requests failed`);
  return {
    opsPerSecond: run.answered / run.seconds,
    p99Ms: run.p99Ms,
    cpuMicroseconds: (cpuMs * 1000) / run.answered,
    resident,
    mapped: file,
  };
}

async function warm(server: Started, objects: number): Promise<void> {
  for (const kind of ['get', 'list', 'put'] as const) await ask(server, kind, objects, CLIENTS, 1);
}

/** Starts after crashes, what is resident then, and what reads and writes do. */
async function measureSize(data: string, objects: number): Promise<SizePoint> {
  const starts: number[] = [];
  const idle: number[] = [];
  await crash(await start(data), BUCKET);
  for (let count = 0; count < STARTS; count += 1) {
    const server = await start(data);
    starts.push(server.milliseconds);
    await sleep(500);
    idle.push(memoryOf([server.pid]).resident);
    await crash(server, BUCKET);
  }
  const server = await start(data);
  await warm(server, objects);
  const asked = {
    get: await ask(server, 'get', objects, CLIENTS, seconds),
    list: await ask(server, 'list', objects, CLIENTS, seconds),
    put: await ask(server, 'put', objects, CLIENTS, seconds),
  };
  await stop(server);
  const point = { objects, readyMs: spreadOf(starts).median, idle: spreadOf(idle).median, asked };
  say(
    `${objects.toLocaleString('en')} objects: ready ${point.readyMs.toFixed(0)} ms, GET ${asked.get.opsPerSecond.toFixed(0)}/s, LIST ${asked.list.opsPerSecond.toFixed(0)}/s, PUT ${asked.put.opsPerSecond.toFixed(0)}/s`,
  );
  return point;
}

/**
 * The smaller and the largest in turn, piece by piece, first the one and then the other first: the speed of a machine changes
 * from minute to minute, so that only neighbours can be compared.
 */
async function compare(base: string, baseObjects: number, most: string, objects: number): Promise<Compared> {
  const inTurn = async (rounds: number, piece: (of: 'base' | 'most') => Promise<number>): Promise<readonly Pair[]> => {
    const pairs: Pair[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const first = round % 2 === 0 ? await piece('base') : undefined;
      const second = await piece('most');
      pairs.push({ base: first ?? (await piece('base')), most: second });
    }
    return pairs;
  };
  const idle: number[] = [];
  const paths = { base, most };
  const ready = await inTurn(READY_PAIRS, async (of) => {
    const server = await start(paths[of]);
    if (of === 'most') {
      await sleep(500);
      idle.push(memoryOf([server.pid]).resident);
    }
    await crash(server, BUCKET);
    return server.milliseconds;
  });
  const servers = { base: await start(base), most: await start(most) };
  const objectsOf = { base: baseObjects, most: objects };
  for (const of of ['base', 'most'] as const) await warm(servers[of], objectsOf[of]);
  const asked = async (kind: Kind) =>
    inTurn(ASKED_PAIRS, async (of) => {
      const { opsPerSecond } = await ask(servers[of], kind, objectsOf[of], CLIENTS, seconds);
      return 1 / opsPerSecond;
    });
  const compared = {
    few: baseObjects,
    objects,
    idle: spreadOf(idle).median,
    ready,
    asked: { get: await asked('get'), list: await asked('list'), put: await asked('put') },
  };
  for (const of of ['base', 'most'] as const) await stop(servers[of]);
  return compared;
}

async function measureClients(data: string, processes: 'one' | 'auto'): Promise<ClientsPoint[]> {
  const points: ClientsPoint[] = [];
  const server = await start(data, ['--processes', processes === 'one' ? '1' : 'auto']);
  await warm(server, BASE);
  for (const clients of clientNumbers) {
    // Many clients wait long for their first answers.
    const time = Math.max(seconds, Math.ceil(clients / 128));
    const asked = {
      get: await ask(server, 'get', BASE, clients, time),
      list: await ask(server, 'list', BASE, clients, time),
      put: await ask(server, 'put', BASE, clients, time),
    };
    points.push({ clients, processes, asked });
    say(`${clients} clients, processes ${processes}: GET ${asked.get.opsPerSecond.toFixed(0)}/s`);
  }
  await stop(server);
  return points;
}

const machine = machineFacts(scratch);
const began = Date.now();
try {
  const grown = join(scratch, 'grown');
  const base = join(scratch, 'base');
  for (const path of [grown, base]) mkdirSync(path);
  const filling = { bytes: BODY_BYTES, fileEvery: 0, durable: false };
  await fill(base, BUCKET, { ...filling, to: BASE, progress: () => undefined });
  const clients = [...(await measureClients(base, 'one')), ...(await measureClients(base, 'auto'))];
  const points: SizePoint[] = [];
  let from = 0;
  for (const to of sizes) {
    const filledFrom = performance.now();
    await fill(grown, BUCKET, { ...filling, from, to, progress: () => undefined });
    say(`${to.toLocaleString('en')} objects filled in ${((performance.now() - filledFrom) / 1000).toFixed(0)} s`);
    from = to;
    points.push(await measureSize(grown, to));
  }
  const compared = await compare(base, BASE, grown, from);
  say(`${from.toLocaleString('en')} compared with ${BASE.toLocaleString('en')} objects`);
  const report = {
    date: new Date(began).toISOString().slice(0, 10),
    command: commandLine(values),
    machine: `${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, ${machine.filesystem}, Node ${machine.node}; load before the run ${machine.loadBefore.toFixed(1)}, after it ${(loadavg()[0] ?? 0).toFixed(1)}`,
    bodyBytes: BODY_BYTES,
    atClients: CLIENTS,
    points,
    clients,
    compared,
  };
  const text = growthText(report);
  process.stdout.write(`${text}\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 1)}\n`);
  if (values.write) {
    const page = join(repository, 'docs', 'benchmarks.md');
    writeFileSync(page, replaceBetweenMarkers(readFileSync(page, 'utf8'), text, markers));
    const images = join(repository, 'docs', 'images');
    mkdirSync(images, { recursive: true });
    for (const [name, svg] of growthCharts(report)) writeFileSync(join(images, name), svg);
  }
  say(`${((Date.now() - began) / 1000).toFixed(0)} s in all`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
