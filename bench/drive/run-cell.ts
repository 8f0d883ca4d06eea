import { join } from 'node:path';
import { cpuOf } from '../measure/cpu.ts';
import type { Memory } from '../measure/memory.ts';
import { watchMemory } from '../measure/memory.ts';
import { type Cell, type CellId, listedObjects, smallBytes } from '../plan.ts';
import type { Sample } from '../report/report.ts';
import type { Server } from '../servers/server.ts';
import { bucket, checkGone, checkLarge, checkList, checkSmall, listBucket, listedKey, listTargets } from './check.ts';
import { readSets } from './prepare.ts';
import { runBulk } from './run-bulk.ts';
import { payloadDigest, signer, unsignedPayload } from './sign.ts';
import { type RequestList, runWrk, writeRequests } from './wrk.ts';

/** One cell in one round at one number of clients: the same requests for every server. */
export interface Turn {
  readonly cell: Cell;
  readonly clients: number;
  readonly round: number;
  readonly seconds: number;
  /** A directory for request lists. */
  readonly scratch: string;
}

/**
 * Requests signed for one second of a write cell. A server that is faster than this overwrites keys from the start of
 * the list again; the empty ceiling is, and keeps none.
 */
const writesASecond = 25_000;

const writtenKey = (turn: Turn, index: number): string =>
  `/${bucket}/small-${turn.cell.id === 'put1k-sha256' ? 'signed' : 'plain'}-${turn.round}-${turn.clients}-${index}`;

function readSetTargets(cell: CellId): readonly string[] {
  const set = readSets.find((one) => one.cell === cell);
  return Array.from({ length: set?.keys ?? 0 }, (_, index) => `/${bucket}/${set?.prefix}-${index}`);
}

const listFile = ({ scratch, cell, clients }: Turn): string => join(scratch, `${cell.id}-${clients}.txt`);

function requestsOf(turn: Turn): RequestList {
  const written = (): readonly string[] =>
    Array.from({ length: writesASecond * turn.seconds }, (_, index) => writtenKey(turn, index));
  const read = (): readonly string[] =>
    Array.from({ length: listedObjects }, (_, index) => `/${listBucket}/${listedKey(index)}`);
  const reading = { bodyBytes: 0, once: false };
  switch (turn.cell.id) {
    case 'put1k':
    case 'put1k-sha256':
      return { method: 'PUT', targets: written(), bodyBytes: smallBytes, once: false };
    case 'delete1k':
      return { method: 'DELETE', targets: written(), bodyBytes: 0, once: true };
    case 'head':
      return { method: 'HEAD', targets: readSetTargets('head'), ...reading };
    case 'list1000':
      return { method: 'GET', targets: listTargets, ...reading };
    default:
      return { method: 'GET', targets: read(), ...reading };
  }
}

/** Signs the turn's requests; to be called just before its servers are measured, since signatures expire. */
export function signTurn(turn: Turn): void {
  if (turn.cell.driver !== 'wrk') return;
  const payload = turn.cell.id === 'put1k-sha256' ? payloadDigest(Buffer.alloc(smallBytes, 'x')) : unsignedPayload;
  writeRequests(listFile(turn), requestsOf(turn), signer(new Date(), payload));
}

const base = ({ cell, clients, round }: Turn, server: Server, memory: Memory) => ({
  server: server.id,
  cell: cell.id,
  clients,
  round,
  resident: memory.resident,
  mapped: memory.file,
});

async function firstProblem(checks: readonly Promise<string | undefined>[]): Promise<string | undefined> {
  return (await Promise.all(checks)).find((problem) => problem !== undefined);
}

async function checkWrk(turn: Turn, server: Server, reached: number): Promise<string | undefined> {
  if (server.id === 'null') return undefined;
  const some = [0, Math.floor(reached / 2), Math.max(0, reached - 1)];
  switch (turn.cell.id) {
    case 'put1k':
    case 'put1k-sha256':
      return firstProblem(some.map((index) => checkSmall(server, writtenKey(turn, index))));
    case 'delete1k':
      return firstProblem(some.map((index) => checkGone(server, writtenKey(turn, index))));
    case 'head':
      return firstProblem([checkLarge(server, readSetTargets('head').at(-1) ?? '', 0, false)]);
    case 'list1000':
      return firstProblem([0, 5, 9].map((page) => checkList(server, page)));
    default:
      return firstProblem([0, 4321].map((index) => checkSmall(server, `/${listBucket}/${listedKey(index)}`)));
  }
}

/** Runs a small-request cell. `put1k` answers how many keys it wrote, which is what `delete1k` may delete. */
async function runSmall(turn: Turn, server: Server, writtenKeys: Map<string, number>): Promise<Sample> {
  const file = listFile(turn);
  const handle = `${server.id} ${turn.clients}`;
  if (turn.cell.id === 'delete1k') {
    const targets = Array.from({ length: writtenKeys.get(handle) ?? 0 }, (_, index) => writtenKey(turn, index));
    writeRequests(file, { ...requestsOf(turn), targets }, signer(new Date(), unsignedPayload));
  }
  const watch = watchMemory(server.pids);
  const cpuBefore = cpuOf(server.pids);
  const run = await runWrk(server.port, file, turn.clients, turn.seconds);
  const cpuMs = cpuOf(server.pids) - cpuBefore;
  const memory = watch.stop();
  const reached = Math.min(run.issued - turn.clients, writesASecond * turn.seconds);
  if (turn.cell.id === 'put1k') writtenKeys.set(handle, Math.max(1, reached));
  const problem = await checkWrk(turn, server, reached);
  const done = Math.max(0, run.answered - run.errors);
  return {
    ...base(turn, server, memory),
    opsPerSecond: done / run.seconds,
    p50Ms: run.p50Ms,
    p99Ms: run.p99Ms,
    cpuMs,
    done,
    errors: run.errors,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Carry the SHA-256 of the body, which the server has to compute as well. */
const signed: ReadonlySet<CellId> = new Set(['put1m-sha256', 'put64m-sha256', 'mpu8x8m-sha256']);

const actions: Partial<Record<CellId, 'put' | 'get' | 'multipart'>> = {
  get1m: 'get',
  get64m: 'get',
  mpu8x8m: 'multipart',
  'mpu8x8m-sha256': 'multipart',
};

async function runLarge(turn: Turn, server: Server): Promise<Sample> {
  const { cell, clients, seconds } = turn;
  const action = actions[cell.id] ?? 'put';
  const readSet = readSets.find((set) => set.cell === cell.id);
  const prefix = readSet?.prefix ?? `large-${cell.id}-${turn.round}-${clients}`;
  const job = { port: server.port, bucket, prefix, bytes: cell.bytes, signedPayload: signed.has(cell.id) };
  const watch = watchMemory(server.pids);
  const cpuBefore = cpuOf(server.pids);
  const run = await runBulk({ ...job, action, keys: readSet?.keys ?? 0, clients, seconds });
  const cpuMs = cpuOf(server.pids) - cpuBefore;
  const memory = watch.stop();
  let problem = run.firstError;
  if (action !== 'get' && server.id !== 'null') {
    // The raw file ceiling keeps parts, never the object they make.
    const checkable = run.done > 0 && !(server.id === 'file' && action === 'multipart');
    if (checkable)
      problem = (await checkLarge(server, `/${bucket}/${prefix}-0`, cell.bytes, action === 'multipart')) ?? problem;
    await runBulk({ ...job, action: 'remove', keys: run.keys, clients: 16, seconds: 0, signedPayload: false });
  }
  return {
    ...base(turn, server, memory),
    opsPerSecond: run.done === 0 ? 0 : run.done / run.seconds,
    p50Ms: run.p50Ms ?? Number.NaN,
    p99Ms: run.p99Ms ?? Number.NaN,
    cpuMs,
    done: run.done,
    errors: run.errors,
    driverBusy: run.driverBusy,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Runs one turn against one server. A broken server is a sample with errors, not the end of the run. */
export async function runCell(turn: Turn, server: Server, writtenKeys: Map<string, number>): Promise<Sample> {
  try {
    return turn.cell.driver === 'wrk' ? await runSmall(turn, server, writtenKeys) : await runLarge(turn, server);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const nothing = { opsPerSecond: 0, p50Ms: Number.NaN, p99Ms: Number.NaN, cpuMs: 0, done: 0, errors: 1, problem };
    return { ...base(turn, server, { resident: 0, file: 0 }), ...nothing };
  }
}
