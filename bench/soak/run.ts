/**
 * `npm run soak`: an hour's mixed load, every answer compared. Nothing may fail, and neither memory, descriptors nor files
 * grow. Options: `--minutes 60`, `--clients 12`, `--processes 1`, `--write` (docs/benchmarks.md). Exits with 1 otherwise.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { MiB } from '../../src/core/sizes.ts';
import { machineFacts } from '../machine.ts';
import { cacheDirectory, repository } from '../paths.ts';
import { replaceBetweenMarkers } from '../report/document.ts';
import { startSoakServer } from '../servers/local.ts';
import { SoakClient } from './client.ts';
import { growthOf, growthTable, type Sample, takeSample } from './watch.ts';
import { PLAIN, VERSIONED, Worker } from './worker.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    clients: { type: 'string', default: '12' },
    processes: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
});
const milliseconds = Number(values.minutes) * 60_000;
const markers = ['<!-- soak:begin -->', '<!-- soak:end -->'] as const;
/** So that old versions go while the load runs. */
const LIFECYCLE_DAY = '20s';
const SAMPLE_MS = Math.max(2000, milliseconds / 360);
/** Beyond so many the rest is not worth its log. */
const MOST_ERRORS = 20;

const RULES = `<LifecycleConfiguration>
<Rule><ID>old</ID><Status>Enabled</Status><Filter/><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule>
<Rule><ID>markers</ID><Status>Enabled</Status><Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>
</LifecycleConfiguration>`;

async function prepare(port: number): Promise<void> {
  const client = new SoakClient(port);
  const ask = async (target: string, text = '') => {
    const { status, body } = await client.send('PUT', target, Buffer.from(text));
    if (status !== 200) throw new Error(`PUT ${target}: ${status} ${body.toString()}`);
  };
  for (const bucket of [PLAIN, VERSIONED]) await ask(`/${bucket}`);
  await ask(`/${VERSIONED}?versioning=`, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
  await ask(`/${VERSIONED}?lifecycle=`, RULES);
  client.close();
}

const say = (text: string): void => {
  process.stderr.write(`soak: ${text}\n`);
};

const runs = join(cacheDirectory, 'runs');
mkdirSync(runs, { recursive: true });
const directory = mkdtempSync(join(runs, 's'));
const data = join(directory, 'data');
const machine = machineFacts(directory);
const server = await startSoakServer({ directory }, values.processes, LIFECYCLE_DAY);
const errors: string[] = [];
const samples: Sample[] = [];
let stopped = false;
try {
  await prepare(server.port);
  const began = performance.now();
  const workers = Array.from({ length: Number(values.clients) }, (_, number) => new Worker(server.port, number));
  const drive = async (worker: Worker): Promise<void> => {
    while (performance.now() - began < milliseconds && errors.length < MOST_ERRORS) {
      try {
        await worker.step();
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error));
        say(errors.at(-1) ?? '');
      }
    }
  };
  const watching = (async () => {
    while (performance.now() - began < milliseconds && errors.length < MOST_ERRORS) {
      await sleep(SAMPLE_MS);
      const sample = takeSample((performance.now() - began) / 1000, server.pids, data);
      samples.push(sample);
      if (samples.length % 30 === 0) {
        say(
          `${sample.at.toFixed(0)} s: ${(sample.memory / MiB).toFixed(0)} MiB, ${sample.descriptors} descriptors, ${sample.bodyFiles} body files, ${workers.reduce((sum, { done }) => sum + done, 0)} operations, ${errors.length} errors`,
        );
      }
    }
  })();
  await Promise.all([watching, ...workers.map(drive)]);
  const seconds = (performance.now() - began) / 1000;
  for (const worker of workers) {
    await worker.checkAll().catch((error: unknown) => errors.push(String(error)));
    worker.close();
  }
  await server.stop();
  stopped = true;
  // What is on the disk without being in the index, and the other way round.
  const bin = join(repository, 'bin', 'bucketwright.cjs');
  const checked = await promisify(execFile)(process.execPath, [bin, 'fsck', '--data', data]).catch(
    (error: unknown) => ({ stdout: error instanceof Error ? error.message : String(error), failed: true }),
  );
  if ('failed' in checked) errors.push(`fsck: ${checked.stdout}`);
  const done = workers.reduce((sum, worker) => sum + worker.done, 0);
  const bytes = workers.reduce((sum, worker) => sum + worker.bytes, 0);
  const growths = growthOf(samples);
  const holds = errors.length === 0 && growths.every(({ late, allowed }) => late <= allowed);
  const report = [
    `Measured ${new Date().toISOString().slice(0, 10)}: ${(seconds / 60).toFixed(0)} minutes, ${values.clients} clients, ${values.processes} process(es), ${machine.cores} cores, Node ${machine.node}, load before the run ${machine.loadBefore.toFixed(1)}.`,
    `${done.toLocaleString('en')} operations, ${(bytes / 1e9).toFixed(1)} GB moved and compared, ${errors.length} errors; fsck afterwards finds ${'failed' in checked ? '**damage or orphans**' : 'no damage and no orphan'}.`,
    '',
    growthTable(growths),
    '',
    holds ? 'Nothing failed and nothing grows.' : `**Missed**: ${errors.slice(0, 3).join('; ') || 'something grows'}`,
  ].join('\n');
  process.stdout.write(`${report}\n`);
  if (values.write) {
    const page = join(repository, 'docs', 'benchmarks.md');
    writeFileSync(page, replaceBetweenMarkers(readFileSync(page, 'utf8'), report, markers));
  }
  if (!holds) process.exitCode = 1;
} finally {
  if (!stopped) await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
