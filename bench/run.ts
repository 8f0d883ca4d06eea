/** `npm run bench`: every server, every cell, in interleaved rounds on this machine. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../src/core/errors.ts';
import { MiB } from '../src/core/sizes.ts';
import { prepare } from './drive/prepare.ts';
import { runCell, signTurn } from './drive/run-cell.ts';
import { machineFacts } from './machine.ts';
import { memoryOf } from './measure/memory.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { cacheDirectory, repository } from './paths.ts';
import { type Cell, cells } from './plan.ts';
import { renderReport, replaceBetweenMarkers } from './report/document.ts';
import type { MeasuredServer, Report, Sample } from './report/report.ts';
import { starters } from './servers/index.ts';
import { type Server, ServerUnavailable } from './servers/server.ts';

const page = join(repository, 'docs', 'benchmarks.md');
const say = (text: string): void => {
  process.stderr.write(`bench: ${text}\n`);
};

interface Started {
  readonly servers: Server[];
  readonly measured: MeasuredServer[];
  readonly missing: { id: Server['id']; reason: string }[];
}

async function startAll(options: Options, chosen: readonly Cell[], scratch: string, into: Started): Promise<void> {
  for (const id of options.servers) {
    const directory = join(scratch, id);
    mkdirSync(directory);
    try {
      const server = await starters[id]({ directory });
      into.servers.push(server);
      const idle = memoryOf(server.pids).resident;
      await prepare(server, chosen, scratch);
      into.measured.push({ id, label: server.label, idle, filled: memoryOf(server.pids).resident });
      say(`${id} runs on 127.0.0.1:${server.port}: ${server.label}`);
    } catch (error) {
      if (!(error instanceof ServerUnavailable)) throw error;
      into.missing.push({ id, reason: error.message });
      say(`NOT MEASURED: ${error.message}`);
    }
  }
}

async function runRound(
  round: number,
  options: Options,
  chosen: readonly Cell[],
  scratch: string,
  servers: readonly Server[],
) {
  const samples: Sample[] = [];
  const writtenKeys = new Map<string, number>();
  // Each round begins with another server, so that none always runs after the same neighbour.
  const order = [...servers.slice(round % servers.length), ...servers.slice(0, round % servers.length)];
  const levels = [...new Set(chosen.flatMap((cell) => cell.clients(options.clients)))].sort((a, b) => a - b);
  for (const clients of levels) {
    for (const cell of chosen) {
      if (!cell.clients(options.clients).includes(clients)) continue;
      const turn = { cell, clients, round, seconds: options.seconds, scratch };
      signTurn(turn);
      const rates: string[] = [];
      for (const server of order) {
        if (cell.notOn?.includes(server.id)) continue;
        const sample = await runCell(turn, server, writtenKeys);
        samples.push(sample);
        rates.push(
          `${server.id} ${sample.opsPerSecond.toFixed(1)}${sample.errors > 0 ? ` (${sample.errors} err)` : ''}`,
        );
      }
      say(`round ${round + 1}: ${cell.title} at ${clients}: ${rates.join(', ')} /s`);
    }
  }
  return samples;
}

/**
 * Runs what the cells run before it counts: a Node server needs some 10,000 requests until its code is compiled, and a cell
 * of a second would measure mostly that.
 */
async function warmUp(options: Options, chosen: readonly Cell[], scratch: string, servers: readonly Server[]) {
  const clients = options.clients.at(-1) ?? 1;
  const writtenKeys = new Map<string, number>();
  for (const cell of chosen.filter(({ bytes }) => bytes <= MiB)) {
    const turn = { cell, clients, round: -1, seconds: options.warm, scratch };
    signTurn(turn);
    for (const server of servers) {
      if (!cell.notOn?.includes(server.id)) await runCell(turn, server, writtenKeys);
    }
  }
  say('warmed up');
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  // DELETE removes what PUT wrote, so it brings PUT along.
  const wanted = new Set(options.cells);
  if (wanted.has('delete1k')) wanted.add('put1k');
  const chosen = cells.filter(({ id }) => wanted.has(id));
  const runs = join(cacheDirectory, 'runs');
  mkdirSync(runs, { recursive: true });
  const scratch = mkdtempSync(join(runs, 'r'));
  const machine = machineFacts(scratch);
  const started: Started = { servers: [], measured: [], missing: [] };
  const samples: Sample[] = [];
  const began = Date.now();
  let rounds = 0;
  const stopAll = async (): Promise<void> => {
    await Promise.all(started.servers.map((server) => server.stop()));
    rmSync(scratch, { recursive: true, force: true });
  };
  const interrupted = (): void => {
    say('interrupted: stopping the servers');
    void stopAll().then(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    await startAll(options, chosen, scratch, started);
    const ready = started.servers.filter(({ id }) => started.measured.some((server) => server.id === id));
    await warmUp(options, chosen, scratch, ready);
    let longest = 0;
    for (; rounds < options.rounds; rounds += 1) {
      const roundBegan = Date.now();
      if (rounds > 0 && roundBegan - began + longest > options.minutes * 60_000) {
        say(`stopping after ${rounds} rounds: another would go beyond --minutes ${options.minutes}`);
        break;
      }
      samples.push(...(await runRound(rounds, options, chosen, scratch, ready)));
      longest = Math.max(longest, Date.now() - roundBegan);
    }
  } finally {
    await stopAll();
  }
  const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  const report: Report = {
    command,
    date: new Date(began).toISOString(),
    machine,
    rounds,
    seconds: options.seconds,
    servers: started.measured,
    missing: started.missing,
    samples,
  };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 1)}\n`);
  const text = renderReport(report);
  process.stdout.write(`${text}\n`);
  if (options.write) writeFileSync(page, replaceBetweenMarkers(readFileSync(page, 'utf8'), text));
  say(`${Math.round((Date.now() - began) / 1000)} s in all`);
}

try {
  if (process.argv.includes('--help')) process.stdout.write(`${usage}\n`);
  else await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  say(`${error.message}\n${error.advice ?? ''}`);
  process.exitCode = 64;
}
