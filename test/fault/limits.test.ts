import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { startServer as startInProcess } from '../../src/server/index.ts';
import { endpointOf, type S3Endpoint } from '../support/endpoint.ts';
import { freePorts } from '../support/ports.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { skipUnless } from '../support/skip.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { LeanClient } from './lean-client.ts';
import { bodyFiles } from './orphans.ts';
import { connected, signedHead, untilClosed } from './raw-request.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const onLinux = skipUnless(process.platform === 'linux', 'loopback addresses and peaks of memory are taken from Linux');

let sockets: Socket[] = [];
let server: TestServer;
let client: LeanClient;

async function start(...args: string[]): Promise<void> {
  server = await startServer({ args });
  client = new LeanClient(server, 4);
  expect((await client.send('PUT', '/bounded')).status).toBe(200);
}

/** Sends a head and some of the body, and then nothing. `from` is the client's address. */
async function stall(target: string, sent: number, of: number, from = '127.0.0.1', method = 'PUT'): Promise<Socket> {
  const socket = connect({ host: server.host, port: server.port, localAddress: from });
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  sockets.push(socket);
  socket.write(signedHead(server, method, target, of));
  socket.write(Buffer.alloc(sent, 'x'));
  return socket;
}

function answerOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('</Error>')) resolve(text);
    });
    socket.once('close', () => resolve(text));
  });
}

async function inFlight(): Promise<number> {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  return Number(/^bucketwright_requests_in_flight (\d+)$/m.exec(text)?.[1]);
}

async function stopAll(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  client.close();
  await server.stop();
}

onLinux('requests under way at once', () => {
  afterEach(stopAll);

  it('beyond a client’s share are refused with SlowDown, and nobody else’s', async () => {
    await start('--max-requests-per-client', '6', '--max-requests', '10');
    for (let number = 0; number < 6; number += 1) await stall(`/bounded/a${number}`, KiB, MiB);
    await expect.poll(inFlight, { timeout: 20_000 }).toBe(6);
    const refused = await answerOf(await stall('/bounded/one-more', KiB, MiB));
    expect(refused).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n.*<Code>SlowDown<\/Code>/s);
    expect((await client.send('GET', '/bounded/anything')).status).toBe(503);
    expect((await client.send('HEAD', '/bounded')).status).toBe(503);
    // Probes are not requests of S3.
    expect((await fetch(`http://${server.host}:${server.port}/minio/health/live`)).status).toBe(200);
    for (let number = 0; number < 4; number += 1) await stall(`/bounded/b${number}`, KiB, MiB, '127.0.0.2');
    await expect.poll(inFlight, { timeout: 20_000 }).toBe(10);
    expect(await answerOf(await stall('/bounded/all', KiB, MiB, '127.0.0.3'))).toContain('SlowDown');
    for (const socket of sockets) socket.destroy();
    await expect.poll(inFlight, { timeout: 20_000 }).toBe(0);
    expect((await client.send('PUT', '/bounded/again', randomBytes(100))).status).toBe(200);
    const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^bucketwright_requests_total\{operation="Unknown",status="503"\} 4$/m);
  });

  it('are shared out among processes', async () => {
    await start('--max-requests-per-client', '6', '--processes', '2');
    for (let number = 0; number < 5; number += 1) await stall(`/bounded/a${number}`, KiB, MiB);
    await expect.poll(inFlight, { timeout: 20_000 }).toBe(5);
    const more = Array.from({ length: 6 }, (_, number) => stall(`/bounded/more-${number}`, KiB, MiB));
    // Connections go to the processes in turn, with some slack: at least two of eleven find none with room.
    const refused = await Promise.all(
      (await Promise.all(more)).map((socket) => Promise.race([answerOf(socket), sleep(3000, '')])),
    );
    expect(refused.filter((text) => text.includes('SlowDown')).length).toBeGreaterThanOrEqual(2);
    expect(await inFlight()).toBeGreaterThanOrEqual(5);
  });
});

const LIMIT_MIB = 400;

async function peakMiB(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

onLinux('requests sent without waiting for answers', () => {
  afterEach(stopAll);

  const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).length;

  it('are answered in order, and leave nothing open when their connection breaks', async () => {
    await start();
    for (const [key, size] of [
      ['large', 24 * MiB],
      ['small', 100],
    ] as const) {
      expect((await client.send('PUT', `/bounded/${key}`, Buffer.alloc(size, key))).status).toBe(200);
    }
    const get = (key: string) => signedHead(server, 'GET', `/bounded/${key}`, 0);
    const polite = await connected(server);
    let text = '';
    polite.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    polite.write(get('small') + get('missing') + get('small'));
    await expect.poll(() => text.match(/HTTP\/1\.1/g)?.length).toBe(3);
    polite.destroy();
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['200', '404', '200']);
    await expect.poll(inFlight, { timeout: 20_000 }).toBe(0);
    const before = descriptors();
    for (let round = 0; round < 20; round += 1) {
      const rude = await connected(server);
      rude.pause();
      rude.write(get('large').repeat(6));
      await sleep(50);
      rude.destroy();
    }
    await expect.poll(inFlight, { timeout: 60_000 }).toBe(0);
    await expect.poll(descriptors, { timeout: 20_000 }).toBeLessThan(before + 10);
  });
});

onLinux('memory stays bounded', () => {
  beforeEach(() => start());
  afterEach(async () => {
    const peak = await peakMiB();
    console.log(`peak ${peak.toFixed(0)} MiB`);
    expect(peak).toBeLessThan(LIMIT_MIB);
    // Everybody else is served.
    for (const socket of sockets) socket.destroy();
    await expect.poll(inFlight, { timeout: 60_000 }).toBe(0);
    const bytes = randomBytes(2 * MiB);
    expect((await client.send('PUT', '/bounded/after', bytes)).status).toBe(200);
    expect((await client.send('GET', '/bounded/after')).body.equals(bytes)).toBe(true);
    await stopAll();
  });

  it('with 1,000 uploads that stall', { timeout: 180_000 }, async () => {
    for (let number = 0; number < 1000; number += 1) await stall(`/bounded/s${number}`, 700 * KiB, 64 * MiB);
    await expect.poll(inFlight, { timeout: 60_000 }).toBe(1000);
    await sleep(500);
  });

  it('with documents that stall: those beyond 64 MiB are refused', { timeout: 180_000 }, async () => {
    const first = await stall('/bounded?lifecycle=', KiB, MiB);
    for (let number = 0; number < 64; number += 1) await stall('/bounded?lifecycle=', 800 * KiB, MiB);
    await expect.poll(inFlight, { timeout: 20_000 }).toBe(65);
    expect(await answerOf(await stall('/bounded?lifecycle=', KiB, MiB))).toContain('SlowDown');
    first.destroy();
    await expect.poll(inFlight, { timeout: 20_000 }).toBe(64);
    expect((await client.send('HEAD', '/bounded')).status).toBe(200);
  });

  it('with listings that nobody reads: those beyond 64 MiB are refused', { timeout: 180_000 }, async () => {
    const long = 'k'.repeat(900);
    for (let from = 0; from < 1000; from += 50) {
      const puts = Array.from({ length: 50 }, (_, at) => client.send('PUT', `/bounded/${long}${from + at}`));
      for (const { status } of await Promise.all(puts)) expect(status).toBe(200);
    }
    const refused: string[] = [];
    for (let number = 0; number < 300 && refused.length === 0; number += 1) {
      const socket = await connected(server);
      sockets.push(socket);
      socket.pause();
      // The kernel takes some MiB for each connection: ask for more at once.
      socket.write(signedHead(server, 'GET', '/bounded?list-type=2', 0).repeat(12));
      if (number % 10 === 9 && (await client.send('HEAD', '/bounded')).status === 503) refused.push(`after ${number}`);
    }
    expect(refused).toHaveLength(1);
  });
});

describe('clients that trickle', () => {
  const IDLE_MS = 1200;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let running: Awaited<ReturnType<typeof startInProcess>>;
  let endpoint: S3Endpoint;
  let lean: LeanClient;

  beforeEach(async () => {
    directory = await temporaryDirectory('trickle');
    const [port = 0, adminPort = 0] = await freePorts(2);
    const keys = { accessKeyId: 'TRICKLETRICKLETRICKL', secretAccessKey: 'of-the-trickle' };
    running = await startInProcess({
      listen: { host: '127.0.0.1', port },
      adminListen: { host: '127.0.0.1', port: adminPort },
      data: directory.path,
      region: 'us-east-1',
      rootCredentials: { ...keys, secretAccessKey: new Secret(keys.secretAccessKey) },
      limits: { idleTimeout: IDLE_MS, leastRate: 1000 },
      drainMs: 100,
    });
    endpoint = endpointOf(running.url, 'us-east-1', keys.accessKeyId, keys.secretAccessKey);
    lean = new LeanClient(endpoint, 2);
    expect((await lean.send('PUT', '/trickle')).status).toBe(200);
  });
  afterEach(async () => {
    lean.close();
    await running.close();
    await directory.remove();
  });

  it('in their body are cut off, and nothing is left', async () => {
    const socket = await connected(endpoint);
    socket.write(signedHead(endpoint, 'PUT', '/trickle/slow', MiB));
    socket.write(Buffer.alloc(400 * KiB));
    const cut = untilClosed(socket);
    const drip = setInterval(() => socket.writable && socket.write('x'), 100);
    try {
      expect(await cut).toBe('');
    } finally {
      clearInterval(drip);
    }
    await expect.poll(async () => (await bodyFiles(directory.path)).length, { timeout: 10_000 }).toBe(0);
    expect((await lean.send('HEAD', '/trickle/slow')).status).toBe(404);
  });

  it('in taking their answer are cut off', async () => {
    const bytes = randomBytes(24 * MiB);
    expect((await lean.send('PUT', '/trickle/large', bytes)).status).toBe(200);
    const socket = await connected(endpoint);
    socket.write(signedHead(endpoint, 'GET', '/trickle/large', 0));
    let taken = 0;
    // The kernel's buffers hold some MiB: what is left is not taken before the server has given up.
    for (let sip = 0; sip < 30; sip += 1) {
      const chunk: unknown = socket.read(100);
      if (Buffer.isBuffer(chunk)) taken += chunk.length;
      await sleep(IDLE_MS / 5);
    }
    for await (const chunk of socket) taken += chunk.length;
    expect(taken).toBeLessThan(bytes.length);
  });

  it('but not those that come fast enough', async () => {
    const socket = await connected(endpoint);
    const pieces = 24;
    socket.write(signedHead(endpoint, 'PUT', '/trickle/steady', pieces * 500));
    const answered = once(socket, 'data');
    for (let piece = 0; piece < pieces; piece += 1) {
      socket.write(Buffer.alloc(500));
      await sleep(150);
    }
    expect(String(await answered)).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  });
});
