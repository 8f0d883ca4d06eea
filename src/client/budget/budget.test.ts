import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../core/secret.ts';
import { type Connection, providerNamed } from '../../providers/index.ts';
import { parseEndpoint } from '../../settings/index.ts';
import { createBucketClient, createClient } from '../index.ts';
import { joinNeighbours } from './neighbours.ts';
import { createRate } from './rate.ts';

describe('a rate', () => {
  test('is kept whatever comes at once, and a pause gives no more than the burst', async () => {
    let now = 0;
    const went: number[] = [];
    const rate = createRate(
      100,
      () => now,
      async (milliseconds) => {
        went.push(now + milliseconds);
      },
    );
    // Ten are the burst of a tenth of a second; the others are spaced by 10 ms.
    for (let index = 0; index < 30; index += 1) await rate.take();
    expect(went.length).toBeGreaterThanOrEqual(19);
    expect(went.at(-1)).toBeCloseTo(190, 6);
    now = 60_000;
    went.length = 0;
    for (let index = 0; index < 30; index += 1) await rate.take();
    expect(went.at(-1)).toBeCloseTo(60_190, 6);
    rate.set(10);
    await rate.take();
    await rate.take();
    expect(went.at(-1)).toBeCloseTo(60_300, 6);
  });
});

describe('neighbours', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'neighbours-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test('are the live processes of the same endpoint', async () => {
    const here = joinNeighbours('a:443', root);
    expect(here.count()).toBe(1);
    const other = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    const directory = join(root, 'other');
    mkdirSync(directory);
    try {
      const { readdirSync } = await import('node:fs');
      const [name = ''] = readdirSync(root).filter((entry) => entry !== 'other');
      writeFileSync(join(root, name, String(other.pid)), '');
      writeFileSync(join(root, name, '999999999'), '');
      expect(here.count()).toBe(2);
      expect(joinNeighbours('b:443', root).count()).toBe(1);
    } finally {
      const ended = new Promise((done) => other.once('close', done));
      other.kill('SIGKILL');
      await ended;
    }
    expect(here.count()).toBe(1);
    here.leave();
  });

  test('where nothing can be written a process is alone', () => {
    writeFileSync(join(root, 'file'), '');
    expect(joinNeighbours('a:443', join(root, 'file')).count()).toBe(1);
  });
});

test('all clients of a process together keep half of what a provider allows an address', async () => {
  let underWay = 0;
  let most = 0;
  const arrived: number[] = [];
  const server = createServer((incoming, response) => {
    arrived.push(performance.now());
    underWay += 1;
    most = Math.max(most, underWay);
    response.once('finish', () => {
      underWay -= 1;
    });
    incoming.resume();
    setTimeout(() => {
      const list = '<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>';
      response.writeHead(200, { 'content-type': 'application/xml' }).end(incoming.url === '/' ? list : '');
    }, 20);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const endpoint = parseEndpoint(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  const hetzner = providerNamed('hetzner');
  if (!endpoint.ok || hetzner === undefined) throw new Error('no endpoint');
  const connection: Connection = {
    endpoint: endpoint.value,
    credentials: { accessKeyId: new Secret('AKIDEXAMPLE'), secretAccessKey: new Secret('secret-key-1') },
    region: 'fsn1',
    forcePathStyle: true,
    checksums: 'when-required',
    provider: { ...hetzner, limits: { connections: 8, requestsPerSecond: 200 } },
  };
  const clients = [createBucketClient(connection, { sockets: 64 }), createBucketClient(connection)];
  const objects = createClient(connection, { sockets: 64 });
  const began = performance.now();
  await Promise.all([
    ...Array.from({ length: 50 }, (_, index) => clients[index % 2]?.list()),
    ...Array.from({ length: 50 }, () => objects.headBucket('b')),
  ]);
  // However slow the machine, it was never faster than 100 a second, but for the burst of 10.
  expect(performance.now() - began).toBeGreaterThan(850);
  expect(arrived).toHaveLength(100);
  expect(most).toBeLessThanOrEqual(4);
  // Closing one leaves the others their sockets.
  clients[0]?.close();
  expect(await clients[1]?.list()).toEqual([]);
  await sleep(0);
  clients[1]?.close();
  objects.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});
