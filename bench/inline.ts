/**
 * `npm run bench:inline`: should a body of this size live in the index or in a file? Puts and gets through the store
 * itself, durably, sizes and kinds in turn, so that a slow minute of the machine meets all of them.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KiB } from '../src/core/sizes.ts';
import { type LocalStore, openLocalStore } from '../src/store/index.ts';
import { cacheDirectory } from './paths.ts';

const SIZES = [4, 8, 16, 32, 64, 128].map((size) => size * KiB);
const CLIENTS = [16, 64];
const ROUNDS = 3;
const MILLISECONDS = Number(process.argv[2] ?? 1000);
const KINDS = ['inline', 'file'] as const;
type Kind = (typeof KINDS)[number];

interface Rate {
  readonly opsPerSecond: number;
  /** CPU of the process, all threads, kernel included, in microseconds an operation. */
  readonly cpu: number;
}

async function measured(clients: number, operation: (number: number) => Promise<void>): Promise<Rate> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  let next = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - began < MILLISECONDS) {
      next += 1;
      await operation(next);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const used = process.cpuUsage(cpu);
  return { opsPerSecond: (next * 1000) / (performance.now() - began), cpu: (used.user + used.system) / next };
}

async function put(store: LocalStore, key: string, bytes: Buffer): Promise<void> {
  await store.putObject({
    bucket: 'bench',
    key,
    // The store keeps what it is given: a thread takes the memory of a body that goes to a file.
    body: { bytes: Buffer.from(bytes) },
    digests: [],
    accept: () => undefined,
    headers: {},
    metadata: {},
    tags: [],
    storageClass: 'STANDARD',
  });
}

async function get(store: LocalStore, key: string): Promise<void> {
  const object = await store.openObject('bench', key);
  try {
    await object.send(0, object.info.size, async () => {});
  } finally {
    await object.close();
  }
}

const scratch = join(cacheDirectory, 'runs');
mkdirSync(scratch, { recursive: true });
const results = new Map<string, Rate[]>();
const note = (name: string, rate: Rate) => results.set(name, [...(results.get(name) ?? []), rate]);

for (let round = 0; round < ROUNDS; round += 1) {
  for (const size of SIZES) {
    for (const kind of KINDS) {
      const directory = mkdtempSync(join(scratch, 'inline-'));
      const store = await openLocalStore({ directory, inlineLimit: kind === 'inline' ? size : 0 });
      await store.createBucket({ name: 'bench', owner: 'root', region: 'us-east-1' });
      const bytes = Buffer.alloc(size, 's');
      for (const clients of CLIENTS) {
        let written = 0;
        const putting = await measured(clients, async (number) => {
          await put(store, `${clients}/${number}`, bytes);
          written = Math.max(written, number);
        });
        note(`put ${clients} ${size} ${kind}`, putting);
        const getting = await measured(clients, (number) => get(store, `${clients}/${1 + (number % written)}`));
        note(`get ${clients} ${size} ${kind}`, getting);
      }
      await store.close();
      rmSync(directory, { recursive: true });
    }
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const cell = (operation: string, clients: number, size: number, kind: Kind) => {
  const rates = results.get(`${operation} ${clients} ${size} ${kind}`) ?? [];
  return { ops: median(rates.map(({ opsPerSecond }) => opsPerSecond)), cpu: median(rates.map(({ cpu }) => cpu)) };
};
const lines = [
  '| | clients | KiB | inline ops/s | file ops/s | inline µs CPU | file µs CPU |',
  '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
];
for (const operation of ['put', 'get']) {
  for (const clients of CLIENTS) {
    for (const size of SIZES) {
      const [inline, file] = [cell(operation, clients, size, 'inline'), cell(operation, clients, size, 'file')];
      const figures = [inline.ops, file.ops, inline.cpu, file.cpu].map((value) =>
        Math.round(value).toLocaleString('en'),
      );
      lines.push(`| ${operation.toUpperCase()} | ${clients} | ${size / KiB} | ${figures.join(' | ')} |`);
    }
  }
}
process.stdout.write(`${lines.join('\n')}\n`);
