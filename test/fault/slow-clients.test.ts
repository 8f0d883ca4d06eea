import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { startServer as startInProcess } from '../../src/server/index.ts';
import { endpointOf, type S3Endpoint } from '../support/endpoint.ts';
import { freePorts } from '../support/ports.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { LeanClient } from './lean-client.ts';
import { bodyFiles, checkNoOrphans } from './orphans.ts';
import { connected, signedHead, untilClosed } from './raw-request.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const STALLED = 200;
/** A request that has to wait for a stalled one would wait for its idle time-out, 60 s. */
const AT_ONCE_MS = 10_000;

/** Waits, at most 10 s, until `holds`. */
async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await holds()) return true;
    await sleep(50);
  }
  return false;
}

describe('clients that stall in the middle of an upload', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: TestServer;
  let client: LeanClient;
  let stalled: Socket[] = [];

  beforeEach(async () => {
    directory = await temporaryDirectory('stalled');
    server = await startServer({ data: directory.path });
    client = new LeanClient(server, 4);
    expect((await client.send('PUT', '/slow')).status).toBe(200);
  });
  afterEach(async () => {
    for (const socket of stalled) socket.destroy();
    client.close();
    await server.stop();
    await directory.remove();
  });

  const stall = async (targets: readonly string[], sent: number) => {
    const bytes = Buffer.alloc(sent, 'x');
    stalled = await Promise.all(
      targets.map(async (target) => {
        const socket = await connected(server);
        socket.write(signedHead(server, 'PUT', target, MiB));
        socket.write(bytes);
        return socket;
      }),
    );
  };
  const inFlight = async () => {
    const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
    return Number(/^bucketwright_requests_in_flight (\d+)$/m.exec(text)?.[1]);
  };
  /** Small and large, each within a time in which no stalled request ends. */
  const othersAreServed = async () => {
    for (const [key, size] of [
      ['small', 100],
      ['large', 2 * MiB],
    ] as const) {
      const bytes = randomBytes(size);
      const began = performance.now();
      expect((await client.send('PUT', `/slow/${key}`, bytes)).status).toBe(200);
      expect((await client.send('GET', `/slow/${key}`)).body.equals(bytes)).toBe(true);
      expect(performance.now() - began, `${key}: milliseconds for PUT and GET`).toBeLessThan(AT_ONCE_MS);
    }
  };
  const expectOnlyOthers = async () => {
    const listing = await client.send('GET', '/slow?list-type=2');
    const keys = [...listing.body.toString().matchAll(/<Key>([^<]+)</g)].map(([, key]) => key);
    expect(keys).toEqual(['large', 'small']);
    // While the server runs, so that no recovery has cleaned up after it: only the large object has a file.
    expect(await eventually(async () => (await bodyFiles(directory.path)).length === 1)).toBe(true);
    expect((await server.stop()).code).toBe(0);
    await checkNoOrphans(directory.path);
  };

  // 100 KiB wait in memory; of 700 KiB a part is in a body file already.
  it.each([100 * KiB, 700 * KiB])(
    `${STALLED} with %i of 1,048,576 bytes block nobody and leave nothing`,
    async (sent) => {
      await stall(
        Array.from({ length: STALLED }, (_, number) => `/slow/stalled-${number}`),
        sent,
      );
      expect(await eventually(async () => (await inFlight()) === STALLED)).toBe(true);
      if (sent > 256 * KiB) {
        expect(await eventually(async () => (await bodyFiles(directory.path)).length === STALLED)).toBe(true);
      }
      await othersAreServed();
      expect(await inFlight()).toBe(STALLED);
      for (const socket of stalled) socket.destroy();
      expect(await eventually(async () => (await inFlight()) === 0)).toBe(true);
      await expectOnlyOthers();
    },
  );

  it('parts that break off leave nothing, and their upload can go on', async () => {
    const begun = await client.send('POST', '/slow/parts?uploads=');
    const uploadId = /<UploadId>([^<]+)</.exec(begun.body.toString())?.[1] ?? '';
    const part = `/slow/parts?partNumber=1&uploadId=${uploadId}`;
    await stall(
      Array.from({ length: 20 }, () => part),
      700 * KiB,
    );
    expect(await eventually(async () => (await bodyFiles(directory.path)).length === 20)).toBe(true);
    for (const socket of stalled) socket.destroy();
    expect(await eventually(async () => (await bodyFiles(directory.path)).length === 0)).toBe(true);
    expect((await client.send('PUT', part, randomBytes(MiB))).status).toBe(200);
    expect((await client.send('DELETE', `/slow/parts?uploadId=${uploadId}`)).status).toBe(204);
    await othersAreServed();
    await expectOnlyOthers();
  });
});

/** The same code with limits that a test can wait for; the command line runs it with 20 s and 60 s. */
describe('clients that take too long', () => {
  const HEADERS_MS = 700;
  const IDLE_MS = 1500;
  /** What is cut is looked for once a second. */
  const CUT_BY_MS = IDLE_MS + 2500;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: Awaited<ReturnType<typeof startInProcess>>;
  let endpoint: S3Endpoint;
  let client: LeanClient;

  beforeAll(async () => {
    directory = await temporaryDirectory('slow');
    const [port = 0, adminPort = 0] = await freePorts(2);
    server = await startInProcess({
      listen: { host: '127.0.0.1', port },
      adminListen: { host: '127.0.0.1', port: adminPort },
      data: directory.path,
      region: 'us-east-1',
      rootCredentials: { accessKeyId: 'SLOW', secretAccessKey: new Secret('slow-clients-on-loopback') },
      limits: { headersTimeout: HEADERS_MS, idleTimeout: IDLE_MS },
    });
    endpoint = endpointOf(server.url, 'us-east-1', 'SLOW', 'slow-clients-on-loopback');
    client = new LeanClient(endpoint, 2);
    expect((await client.send('PUT', '/slow')).status).toBe(200);
  });
  afterAll(async () => {
    client.close();
    await server.close();
    await directory.remove();
  });

  const cut = async (socket: Socket) => {
    const began = performance.now();
    const text = await untilClosed(socket);
    return { text, milliseconds: performance.now() - began };
  };

  it('with the head, byte by byte: cut with RequestTimeout', async () => {
    const head = signedHead(endpoint, 'GET', '/slow/key', 0);
    const sockets = await Promise.all(Array.from({ length: 50 }, () => connected(endpoint)));
    const ends = Promise.all(sockets.map(cut));
    let sent = 0;
    const trickle = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write(head.slice(sent, sent + 1));
      sent += 1;
    }, 50);
    try {
      // Meanwhile everybody else is served.
      expect((await client.send('PUT', '/slow/other', Buffer.from('x'))).status).toBe(200);
      for (const { text, milliseconds } of await ends) {
        expect(text).toMatch(/^HTTP\/1\.1 400 .*<Code>RequestTimeout<\/Code>/s);
        expect(milliseconds).toBeGreaterThan(HEADERS_MS / 2);
        expect(milliseconds).toBeLessThan(CUT_BY_MS);
      }
    } finally {
      clearInterval(trickle);
    }
    // Otherwise the head would have been whole before the cut.
    expect(sent).toBeLessThan(head.length);
  });

  it('silent in the middle of a body: cut, and nothing is left', async () => {
    const socket = await connected(endpoint);
    socket.write(signedHead(endpoint, 'PUT', '/slow/silent', MiB));
    socket.write(Buffer.alloc(700 * KiB));
    expect(await eventually(async () => (await bodyFiles(directory.path)).length === 1)).toBe(true);
    expect((await cut(socket)).milliseconds).toBeLessThan(CUT_BY_MS);
    expect(await eventually(async () => (await bodyFiles(directory.path)).length === 0)).toBe(true);
    expect((await client.send('HEAD', '/slow/silent')).status).toBe(404);
  });

  it('slow but never silent: served to the end', async () => {
    const socket = await connected(endpoint);
    const pieces = 16;
    socket.write(signedHead(endpoint, 'PUT', '/slow/steady', pieces * 100));
    const answered = new Promise<string>((resolve) => {
      socket.once('data', (bytes: Buffer) => resolve(bytes.toString()));
      socket.once('close', () => resolve('closed'));
    });
    for (let piece = 0; piece < pieces; piece += 1) {
      socket.write(Buffer.alloc(100, piece));
      await sleep(IDLE_MS / 8);
    }
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
    expect((await client.send('GET', '/slow/steady')).body.length).toBe(pieces * 100);
    socket.destroy();
  });

  it('not reading their answer: cut', async () => {
    const bytes = randomBytes(32 * MiB);
    expect((await client.send('PUT', '/slow/unread', bytes)).status).toBe(200);
    const socket = await connected(endpoint);
    socket.pause();
    socket.write(signedHead(endpoint, 'GET', '/slow/unread', 0));
    await sleep(CUT_BY_MS);
    let received = 0;
    for await (const chunk of socket) received += chunk.length;
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(bytes.length);
  });
});
