import { createServer } from 'node:net';

/** Below the ports that Linux, macOS and Windows give to outgoing connections, which would come and go in between. */
const FIRST = 10_000;
/** Each worker of the test runner takes its ports from a range of its own. */
const WORKERS = 10;
const EACH = 2_000;
const range = FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS) * EACH;
const given = new Set<number>();

/**
 * Distinct loopback ports that were free a moment ago, none of them given to this process before: a server may leave
 * its port and come back to it. A program outside of this test run may take one before its user binds it, so whoever
 * binds must be ready to ask again.
 *
 * @throws Error when nothing in the worker's range is free.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries >= 10 * EACH) throw new Error(`no free port from ${range} to ${range + EACH - 1}`);
    const port = range + Math.floor(Math.random() * EACH);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
