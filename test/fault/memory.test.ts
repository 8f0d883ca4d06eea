import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { signRequest } from '../../src/sigv4/index.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { LeanClient } from './lean-client.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const LIMIT_MIB = 400;
/** The sizes of the promise, 5 GiB and 64 × 64 MiB, can take minutes on a small machine: this variable switches them on. */
const FULL = (process.env.BUCKETWRIGHT_FULL_MEMORY_TEST ?? '') !== '';
const LARGE = FULL ? 5 * GiB : 2 * GiB;
const CLIENTS = 64;
const EACH = FULL ? 64 * MiB : 16 * MiB;

const noise = ((): Buffer => {
  const block = Buffer.alloc(MiB);
  let state = 0x2545_f491;
  for (let at = 0; at < MiB; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    block.writeUInt32LE(state, at);
  }
  return block;
})();

/** A body that exists nowhere whole: blocks of noise, each stamped with the object's number and its own. */
function stamped(block: Buffer, object: number, index: number): Buffer {
  block.writeUInt32LE(object, 0);
  block.writeUInt32LE(index, 4);
  return block;
}

function* blocksOf(object: number, bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += MiB) yield stamped(Buffer.from(noise), object, at / MiB);
}

/** Compares what arrives with what was sent, byte by byte, keeping one block. */
class Comparison {
  readonly #block = Buffer.from(noise);
  readonly #object: number;
  #at = 0;
  differences = 0;

  constructor(object: number) {
    this.#object = object;
  }

  add(chunk: Buffer): void {
    for (let from = 0; from < chunk.length; ) {
      const offset = this.#at % MiB;
      if (offset === 0) stamped(this.#block, this.#object, this.#at / MiB);
      const count = Math.min(chunk.length - from, MiB - offset);
      if (this.#block.compare(chunk, from, from + count, offset, offset + count) !== 0) this.differences += 1;
      from += count;
      this.#at += count;
    }
  }

  get bytes(): number {
    return this.#at;
  }
}

interface Transfer {
  readonly method: 'PUT' | 'GET';
  readonly object: number;
  readonly bytes: number;
}

/** Moves one object and resolves with its status, and, for a GET, with what was found in it. */
function move(server: TestServer, { method, object, bytes }: Transfer) {
  const path = `/memory/${bytes}/${object}`;
  const headers = { host: `${server.host}:${server.port}`, ...(method === 'PUT' && { 'content-length': `${bytes}` }) };
  const { headers: signed } = signRequest(
    { method, rawPath: path, rawQuery: '', headers },
    { kind: 'unsigned' },
    {
      accessKeyId: server.accessKeyId,
      secret: new Secret(server.secretAccessKey),
      region: server.region,
      now: Date.now(),
    },
  );
  return new Promise<{ status: number; bytes: number; differences: number }>((resolve, reject) => {
    const { host, port } = server;
    const request = httpRequest({ host, port, method, path, headers: { ...headers, ...signed } }, (response) => {
      const comparison = new Comparison(object);
      response.on('data', (chunk: Buffer) => comparison.add(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { bytes: received, differences } = comparison;
        resolve({ status: response.statusCode ?? 0, bytes: received, differences });
      });
    });
    request.on('error', reject);
    if (method === 'PUT') Readable.from(blocksOf(object, bytes), { highWaterMark: 1 }).pipe(request);
    else request.end();
  });
}

/** Greatest resident set of the process so far, in MiB: the kernel's own count, so nothing falls between two samples. */
async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error('no VmHWM');
  return Number(kib) / 1024;
}

const onLinux = skipUnless(process.platform === 'linux', 'the peak of a process is read from /proc');
onLinux(`the server's memory stays below ${LIMIT_MIB} MiB`, () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    const client = new LeanClient(server, 1);
    expect((await client.send('PUT', '/memory')).status).toBe(200);
    client.close();
  });
  afterAll(async () => {
    await server.stop();
  });

  it.each([
    ['one object', 1, LARGE],
    [`${CLIENTS} clients at once`, CLIENTS, EACH],
  ])('with %s, put and got whole', { timeout: FULL ? 1_800_000 : 180_000 }, async (name, count, bytes) => {
    for (const method of ['PUT', 'GET'] as const) {
      const began = performance.now();
      const moves = Array.from({ length: count }, (_, object) => move(server, { method, object, bytes }));
      for (const moved of await Promise.all(moves)) {
        expect(moved).toEqual({ status: 200, bytes: method === 'PUT' ? 0 : bytes, differences: 0 });
      }
      const peak = await peakMiB(server.pid);
      const rate = (count * bytes) / MiB / ((performance.now() - began) / 1000);
      console.log(`${method} ${name} of ${bytes / MiB} MiB: peak ${peak.toFixed(0)} MiB, ${rate.toFixed(0)} MiB/s`);
      expect(peak).toBeLessThan(LIMIT_MIB);
    }
  });
});
