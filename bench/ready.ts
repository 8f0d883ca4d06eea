/**
 * `npm run bench:ready`: is the time to ready after a crash independent of the number of objects? Options:
 * `--objects 1000,1000000`, `--rounds 15`, `--limit 1.5`, `--write` (docs/benchmarks.md). Exits with 1 above the limit.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fill } from './fill.ts';
import { machineFacts } from './machine.ts';
import { spreadOf } from './measure/percentile.ts';
import { cacheDirectory, repository } from './paths.ts';
import { replaceBetweenMarkers } from './report/document.ts';
import { crash, start } from './servers/crashing.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '1000,1000000' },
    rounds: { type: 'string', default: '15' },
    limit: { type: 'string', default: '1.5' },
    write: { type: 'boolean', default: false },
  },
});

const BUCKET = 'ready';
const markers = ['<!-- ready:begin -->', '<!-- ready:end -->'] as const;
const say = (text: string): void => {
  process.stderr.write(`bench:ready: ${text}\n`);
};

interface Subject {
  readonly objects: number;
  readonly data: string;
  readonly milliseconds: number[];
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
    await fill(data, BUCKET, { to: objects, progress: (done) => say(`${done.toLocaleString('en')} objects`) });
    say(`${objects.toLocaleString('en')} objects filled in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    subjects.push({ objects, data, milliseconds: [] });
  }
  // The first start of each follows a tidy end and is not counted.
  for (const { data } of subjects) await crash(await start(data), BUCKET);
  for (let round = 0; round < rounds; round += 1) {
    for (const { objects, data, milliseconds } of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const started = await start(data);
      milliseconds.push(started.milliseconds);
      say(
        `round ${round + 1}: ${objects.toLocaleString('en')} objects: ready after ${started.milliseconds.toFixed(0)} ms`,
      );
      await crash(started, BUCKET);
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
