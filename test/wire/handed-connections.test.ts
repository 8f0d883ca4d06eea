import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { type HandedConnections, serveHanded } from '../../src/server/handed-connections.ts';
import { DEFAULT_LIMITS, type ListenerLimits } from '../../src/server/listener.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: here\r\n\r\n';

let accepting: Server;
let handed: HandedConnections;
const sockets: Socket[] = [];

/** Connections as they arrive from another process: new, and nothing read. */
async function start(handler: RequestListener, limits: Partial<ListenerLimits> = {}): Promise<void> {
  handed = await serveHanded(handler, { ...DEFAULT_LIMITS, ...limits }, undefined, silentLogger);
  accepting = createServer((socket) => handed.take(socket));
  accepting.listen(0, '127.0.0.1');
  await once(accepting, 'listening');
}

async function client(): Promise<Socket> {
  const address: string | AddressInfo | null = accepting.address();
  const socket = connect({ host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** What comes until the other side ends. */
async function all(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  accepting.close();
  await handed.drain(0);
});

it('cuts a head that comes too slowly', { timeout: 20_000 }, async () => {
  await start((_req, res) => res.end(), { headersTimeout: 500 });
  const socket = await client();
  socket.write(REQUEST.slice(0, 10));
  expect(await all(socket)).toContain('<Code>RequestTimeout</Code>');
});

it('closes connections beyond its limit, and takes others when some have ended', async () => {
  await start((_req, res) => res.end('ok'), { maxConnections: 2 });
  const first = await client();
  const second = await client();
  first.write(REQUEST);
  await once(first, 'data');
  second.write(REQUEST);
  await once(second, 'data');
  const third = await client();
  third.write(REQUEST);
  expect(await all(third)).toBe('');
  first.destroy();
  await sleep(200);
  const fourth = await client();
  fourth.write(REQUEST);
  expect(String((await once(fourth, 'data'))[0])).toContain('200 OK');
});

it('lets answers under way end, closes idle connections, and cuts the rest after the grace', async () => {
  const release: (() => void)[] = [];
  await start((req, res) => {
    if (req.url === '/never') return;
    if (req.url === '/late') release.push(() => res.end('late'));
    else res.end('ok');
  });
  const [idle, late, never] = [await client(), await client(), await client()];
  idle.write(REQUEST);
  await once(idle, 'data');
  late.write(REQUEST.replace('/', '/late'));
  never.write(REQUEST.replace('/', '/never'));
  await expect.poll(() => release.length).toBe(1);
  const drained = handed.drain(1500);
  const seen = { idle: all(idle), late: all(late), never: all(never) };
  expect(await seen.idle).toBe('');
  release[0]?.();
  expect(await seen.late).toContain('late');
  expect(await seen.never).toBe('');
  await drained;
});
