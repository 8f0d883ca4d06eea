import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Secret } from '../core/secret.ts';
import { type Connection, generic } from '../providers/index.ts';
import { createExchange } from './exchange.ts';

/** A server that answers every request with these bytes, and where it listens. */
async function answering(bytes: string): Promise<AsyncDisposable & { readonly connection: Connection }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => socket.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const authority = `127.0.0.1:${port}`;
  return {
    connection: {
      endpoint: { scheme: 'http', host: '127.0.0.1', port, authority, url: `http://${authority}` },
      credentials: { accessKeyId: new Secret('id'), secretAccessKey: new Secret('secret') },
      region: 'us-east-1',
      forcePathStyle: true,
      checksums: 'when-required',
      provider: generic,
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const error = '<Error><Code>NoSuchPublicAccessBlockConfiguration</Code></Error>';
const request = { method: 'GET', bucket: 'b', query: 'publicAccessBlock=' } as const;

test.each([true, false])('an answer that is sent twice past its length counts once (alone: %s)', async (alone) => {
  await using server = await answering(
    `HTTP/1.1 404 Not Found\r\nContent-Length: ${error.length}\r\n\r\n${error}${error}`,
  );
  const exchange = createExchange(server.connection, { timeoutMs: 5_000, sockets: 2 });
  for (let round = 0; round < 5; round += 1) {
    expect(await exchange.send({ ...request, alone })).toMatchObject({ status: 404, body: error });
  }
  exchange.close();
});

test('an answer that ends early is none', async () => {
  await using server = await answering('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
  const exchange = createExchange(server.connection, { timeoutMs: 300, sockets: 2 });
  await expect(exchange.send(request)).rejects.toThrow();
  exchange.close();
});
