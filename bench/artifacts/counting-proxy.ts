import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Passes connections through and counts what goes each way: what a client really sends, whatever it says. */
export async function countingProxy(target: number) {
  const sockets = new Set<Socket>();
  const count = { sent: 0, received: 0 };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk: Buffer) => {
      count.sent += chunk.length;
    });
    upstream.on('data', (chunk: Buffer) => {
      count.received += chunk.length;
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    count,
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
