/**
 * `npm run bench:memory`: does the server stay small when bodies are large? One object of 5 GiB is put and got, then 64
 * clients put and get 64 MiB each at once, every byte compared; the peak resident set of the process tree is reported.
 * Options: `--gib 5`, `--clients 64`, `--limit 400` (MiB). Exits with 1 above the limit or on a wrong byte.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MiB } from '../src/core/sizes.ts';
import { checkBody, streamedBody } from './drive/bodies.ts';
import { ask, bucket } from './drive/check.ts';
import { signer, unsignedPayload } from './drive/sign.ts';
import { Connection } from './drive/socket.ts';
import { type Memory, memoryOf, watchMemory } from './measure/memory.ts';
import { cacheDirectory } from './paths.ts';
import { startOurs } from './servers/local.ts';
import type { Server } from './servers/server.ts';

const { values } = parseArgs({
  options: {
    gib: { type: 'string', default: '5' },
    clients: { type: 'string', default: '64' },
    limit: { type: 'string', default: '400' },
  },
});

interface Line {
  readonly what: string;
  readonly memory: Memory;
  readonly seconds: number;
  readonly bytes: number;
}

/** Streams `count` objects of that size at once, up or down. @throws {Error} on a refusal or a wrong byte. */
async function moveAll(
  server: Server,
  method: 'PUT' | 'GET',
  prefix: string,
  count: number,
  bytes: number,
): Promise<void> {
  const by = signer(new Date(), unsignedPayload);
  const move = async (index: number): Promise<void> => {
    const target = `/${bucket}/${prefix}-${index}`;
    const lines = [`${method} ${target} HTTP/1.1`, ...by.common, `Authorization: ${by.authorize(method, target)}`];
    const connection = new Connection(server.port);
    try {
      if (method === 'PUT') {
        lines.push(`Content-Length: ${bytes}`);
        const answer = await connection.request(`${lines.join('\r\n')}\r\n`, streamedBody(bytes));
        if (answer.status !== 200) throw new Error(`PUT ${target} answered ${answer.status} ${answer.text}`);
      } else {
        const { sink, isWhole } = checkBody(bytes);
        const answer = await connection.request(`${lines.join('\r\n')}\r\n`, undefined, sink);
        if (answer.status !== 200 || !isWhole())
          throw new Error(`GET ${target} answered ${answer.status}, wrong bytes`);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: count }, (_, index) => move(index)));
}

async function measure(
  server: Server,
  method: 'PUT' | 'GET',
  prefix: string,
  count: number,
  bytes: number,
): Promise<Line> {
  const watch = watchMemory(server.pids);
  const began = performance.now();
  await moveAll(server, method, prefix, count, bytes);
  const seconds = (performance.now() - began) / 1000;
  const size = bytes >= 1024 * MiB ? `${bytes / 1024 / MiB} GiB` : `${bytes / MiB} MiB`;
  return { what: `${method} ${count} × ${size}`, memory: watch.stop(), seconds, bytes: bytes * count };
}

const runs = join(cacheDirectory, 'runs');
mkdirSync(runs, { recursive: true });
const directory = mkdtempSync(join(runs, 'm'));
const server = await startOurs({ directory });
try {
  const idle = memoryOf(server.pids).resident;
  await ask(server, 'PUT', `/${bucket}`);
  const big = Number(values.gib) * 1024 * MiB;
  const clients = Number(values.clients);
  const lines = [
    await measure(server, 'PUT', 'big', 1, big),
    await measure(server, 'GET', 'big', 1, big),
    await measure(server, 'PUT', 'many', clients, 64 * MiB),
    await measure(server, 'GET', 'many', clients, 64 * MiB),
  ];
  process.stdout.write(`idle: ${(idle / MiB).toFixed(0)} MiB resident\n`);
  for (const { what, memory, seconds, bytes } of lines) {
    const resident = `${(memory.resident / MiB).toFixed(0)} MiB (${(memory.file / MiB).toFixed(0)} of it mapped files)`;
    process.stdout.write(`${what}: peak ${resident}, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, bytes compared\n`);
  }
  const peak = Math.max(...lines.map(({ memory }) => memory.resident)) / MiB;
  const within = peak <= Number(values.limit);
  process.stdout.write(
    `peak ${peak.toFixed(0)} MiB: ${within ? 'within' : 'ABOVE'} the limit of ${values.limit} MiB\n`,
  );
  if (!within) process.exitCode = 1;
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
