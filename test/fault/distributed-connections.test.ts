import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { membersOf } from '../support/members.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { LeanClient } from './lean-client.ts';

const CLIENTS = 6;
const LATE_MS = 15_000;
const LATE = `no answer within ${LATE_MS} ms`;

/** A process that is stopped takes no connection, and one that is sent to it is on its way when the process dies. */
describe('connections on their way to a process that dies', () => {
  let server: TestServer;
  let clients: readonly LeanClient[];

  beforeEach(async () => {
    server = await startServer({ args: ['--processes', '2'] });
    clients = Array.from({ length: CLIENTS }, () => new LeanClient(server, 1));
  }, 60_000);
  afterEach(async () => {
    for (const client of clients) client.close();
    await server.stop();
  }, 60_000);

  /** Statuses, or what went wrong, of one request on a new connection each. */
  const outcomes = async (meanwhile: () => Promise<void>): Promise<readonly (number | string)[]> => {
    const all = clients.map((client) =>
      client.send('GET', '/').then(
        ({ status }) => status,
        (error: unknown) => String(error),
      ),
    );
    await meanwhile();
    const late = sleep(LATE_MS, LATE, { ref: false });
    return Promise.all(all.map((one) => Promise.race([one, late])));
  };

  it('are reset, and all others are answered by the other process', { timeout: 60_000 }, async () => {
    const [victim = 0] = membersOf(server.pid);
    process.kill(victim, 'SIGSTOP');
    const seen = await outcomes(async () => {
      await sleep(500);
      process.kill(victim, 'SIGKILL');
    });
    const failed = seen.filter((one) => one !== 200);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatch(/ECONNRESET|socket hang up/);
  });

  it('wait for a new process when there is no other', { timeout: 60_000 }, async () => {
    for (const pid of membersOf(server.pid)) process.kill(pid, 'SIGKILL');
    await expect.poll(() => membersOf(server.pid).length, { interval: 5 }).toBe(0);
    expect(await outcomes(async () => {})).toEqual(Array.from({ length: CLIENTS }, () => 200));
  });
});
