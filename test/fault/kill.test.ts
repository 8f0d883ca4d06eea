import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { membersOf } from '../support/members.ts';
import { freePorts } from '../support/ports.ts';
import { startServer } from '../support/server.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { digest, History } from './history.ts';
import { answered, LeanClient } from './lean-client.ts';
import { checkNoOrphans } from './orphans.ts';
import { uploadParts } from './upload-parts.ts';

const KILLS = 50;
const GROUP_KILLS = 10;
const CLIENTS = 12;
const KEYS_EACH = 6;
const MiB = 1024 * 1024;

/**
 * The server is killed at random instants while it takes small, large and multipart writes, overwrites, copies and deletes.
 * Afterwards every key must hold an acknowledged content, or one that was on its way; whole; and the listing must agree.
 */
describe('kill -9 under load', () => {
  it(`${KILLS} times loses nothing acknowledged and shows nothing torn`, { timeout: 600_000 }, async () => {
    await killUnderLoad(KILLS, []);
  });

  it(`${GROUP_KILLS} times of processes of a group, or all of it, neither`, { timeout: 600_000 }, async () => {
    await killUnderLoad(GROUP_KILLS, ['--processes', '2']);
  });
});

async function killUnderLoad(kills: number, args: readonly string[]): Promise<void> {
  await using directory = await temporaryDirectory('kill');
  const data = directory.path;
  const [port = 0, adminPort = 0] = await freePorts(2);
  const history = new History();
  let acknowledged = 0;
  for (let round = 0; round < kills; round += 1) {
    const server = await startServer({ data, ports: [port, adminPort], args });
    const client = new LeanClient(server, CLIENTS);
    if (round === 0) expect((await client.send('PUT', '/load')).status).toBe(200);
    await checkEverything(client, history);
    const load = Array.from({ length: CLIENTS }, (_, number) => change(client, history, number, () => acknowledged++));
    // On a busy machine the first answers take a while; an idle server would prove nothing.
    const enough = acknowledged + 2 * CLIENTS;
    for (const end = Date.now() + 20_000; acknowledged < enough && Date.now() < end; ) await sleep(10);
    await sleep(Math.random() * 400);
    const member = args.length > 0 && round % 2 === 1 ? randomMember(server.pid) : undefined;
    if (member !== undefined) {
      process.kill(member, 'SIGKILL');
      // The other goes on while this one is cleared up behind and replaced.
      await sleep(300 + Math.random() * 400);
    }
    await server.stop(args.length > 0 && round % 4 === 1 ? 'SIGTERM' : 'SIGKILL');
    await Promise.all(load);
    client.close();
  }
  const server = await startServer({ data, ports: [port, adminPort], args });
  const client = new LeanClient(server, CLIENTS);
  await checkEverything(client, history);
  client.close();
  await server.stop();
  // Otherwise the rounds would have killed an idle server.
  expect(acknowledged).toBeGreaterThan(kills * CLIENTS);
  await checkNoOrphans(data);
}

function randomMember(pid: number): number | undefined {
  const members = membersOf(pid);
  return members[Math.floor(Math.random() * members.length)];
}

/** One client's endless changes to its own keys; ends when the connection does. */
async function change(client: LeanClient, history: History, number: number, count: () => void): Promise<void> {
  try {
    for (let step = 0; step < 10_000; step += 1) {
      const key = `client-${number}/key-${Math.floor(Math.random() * KEYS_EACH)}`;
      await randomChange(client, history, key, count);
    }
  } catch {
    // killed: what was on its way stays unsettled
  }
}

async function randomChange(client: LeanClient, history: History, key: string, count: () => void): Promise<void> {
  const dice = Math.random();
  if (dice < 0.15) {
    history.begin(key, undefined);
    await answered(client.send('DELETE', `/load/${key}`), 204);
    history.acknowledge(key, undefined);
  } else if (dice < 0.25) {
    await multipart(client, history, key);
  } else if (dice < 0.32) {
    await copy(client, history, key);
  } else {
    const size = dice < 0.75 ? Math.floor(Math.random() * 3000) : Math.floor(Math.random() * 2 * MiB);
    const bytes = randomBytes(size);
    history.begin(key, digest(bytes));
    await answered(client.send('PUT', `/load/${key}`, bytes), 200);
    history.acknowledge(key, digest(bytes));
  }
  count();
}

async function multipart(client: LeanClient, history: History, key: string): Promise<void> {
  const parts = [randomBytes(5 * MiB), randomBytes(Math.floor(Math.random() * 100_000))];
  const complete = await uploadParts(client, `/load/${key}`, parts);
  const whole = digest(Buffer.concat(parts));
  history.begin(key, whole);
  await complete();
  history.acknowledge(key, whole);
}

async function copy(client: LeanClient, history: History, key: string): Promise<void> {
  const source = key.replace(/key-\d+$/, 'key-0');
  const [content, ...others] = history.allowed(source);
  if (source === key || content === undefined || others.length > 0) return;
  history.begin(key, content);
  await answered(client.send('PUT', `/load/${key}`, undefined, { 'x-amz-copy-source': `/load/${source}` }), 200);
  history.acknowledge(key, content);
}

async function checkEverything(client: LeanClient, history: History): Promise<void> {
  const listed = new Map<string, number>();
  const listing = await answered(client.send('GET', '/load?list-type=2'), 200);
  const text = listing.body.toString();
  for (const [, key = '', size = ''] of text.matchAll(/<Contents><Key>([^<]+)<\/Key>.*?<Size>(\d+)<\/Size>/g)) {
    listed.set(key, Number(size));
  }
  for (const key of history.keys()) {
    const got = await client.send('GET', `/load/${key}`);
    const content = got.status === 200 ? digest(got.body) : undefined;
    expect([200, 404]).toContain(got.status);
    expect(history.allowed(key), `content of ${key}`).toContain(content);
    expect(listed.get(key), `listing of ${key}`).toBe(got.status === 200 ? got.body.length : undefined);
    history.settle(key, content);
    listed.delete(key);
  }
  expect([...listed.keys()]).toEqual([]);
}
