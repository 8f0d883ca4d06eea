import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { membersOf } from '../support/members.ts';
import { freePorts } from '../support/ports.ts';
import { startServer } from '../support/server.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { Expiring } from './expiring.ts';
import { digest } from './history.ts';
import { answered, LeanClient } from './lean-client.ts';
import { checkNoOrphans } from './orphans.ts';
import { uploadParts } from './upload-parts.ts';
import { type SeenVersion, VersionHistory } from './version-history.ts';
import { listVersions } from './versions.ts';

const KILLS = 12;
const CLIENTS = 8;
const KEYS_EACH = 2;
/** With more of them a client deletes, so that a check does not take ever longer. */
const VERSIONS_EACH = 6;
const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * The same as kill.test.ts in a bucket with versioning, of which a lifecycle rule clears a part meanwhile: every
 * acknowledged version, and every acknowledged delete marker, is there and whole, in the order in which they were
 * acknowledged; no deleted one comes back; and the rule removes all that it is for, and nothing else.
 */
describe('kill -9 under load, with versioning and lifecycle', () => {
  it.each([
    ['one process', []],
    ['two processes', ['--processes', '2']],
  ])('loses no version in %s', { timeout: 600_000 }, async (_, args) => {
    await using directory = await temporaryDirectory('kill-versions');
    const data = directory.path;
    const [port = 0, adminPort = 0] = await freePorts(2);
    const histories = new Map<string, VersionHistory>();
    for (let client = 0; client < CLIENTS; client += 1) {
      for (let key = 0; key < KEYS_EACH; key += 1) histories.set(`client-${client}/${key}`, new VersionHistory());
    }
    const expiring = new Expiring();
    let acknowledged = 0;
    for (let round = 0; round <= KILLS; round += 1) {
      await using server = await startServer({ data, ports: [port, adminPort], args, env: Expiring.settings });
      const client = new LeanClient(server, CLIENTS + Expiring.clients);
      if (round === 0) await prepare(client);
      await checkEverything(client, histories);
      await expiring.check(client);
      if (round < KILLS) {
        const load = Array.from({ length: CLIENTS }, (__, number) =>
          change(client, histories, `client-${number}`, () => acknowledged++),
        );
        load.push(...expiring.load(client));
        // On a busy machine the first answers take a while; an idle server would prove nothing.
        const enough = acknowledged + 2 * CLIENTS;
        for (const end = Date.now() + 20_000; acknowledged < enough && Date.now() < end; ) await sleep(10);
        await sleep(Math.random() * 300);
        const members = round % 2 === 1 ? membersOf(server.pid) : [];
        const member = members[Math.floor(Math.random() * members.length)];
        if (member !== undefined) {
          process.kill(member, 'SIGKILL');
          await sleep(200);
        }
        await server.stop('SIGKILL');
        await Promise.all(load);
      }
      if (round === KILLS) {
        expect(expiring.removed).toBeGreaterThan(0);
        await expiring.checkGone(client);
        const reports = z.array(z.object({ bucket: z.string(), expired: z.number() }).loose());
        const told = reports.parse(await (await fetch(`${server.adminUrl}/lifecycle`)).json());
        expect(told).toMatchObject([{ bucket: 'load' }]);
        await checkEverything(client, histories);
      }
      client.close();
      if (round === KILLS) await server.stop();
    }
    expect(acknowledged).toBeGreaterThan(KILLS * CLIENTS);
    await checkNoOrphans(data);
  });
});

async function prepare(client: LeanClient): Promise<void> {
  await answered(client.send('PUT', '/load'), 200);
  const body = Buffer.from('<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>');
  await answered(client.send('PUT', '/load?versioning=', body), 200);
  await answered(client.send('PUT', '/load?lifecycle=', Expiring.rules), 200);
}

/** One client's endless changes to its own keys; ends when the connection does. */
async function change(
  client: LeanClient,
  histories: ReadonlyMap<string, VersionHistory>,
  who: string,
  count: () => void,
): Promise<void> {
  const stopped = new Set<string>();
  for (let step = 0; step < 10_000 && stopped.size < KEYS_EACH; step += 1) {
    const key = `${who}/${Math.floor(Math.random() * KEYS_EACH)}`;
    const history = histories.get(key);
    // After a lost connection nothing more is known of the key, until it is looked at.
    if (history === undefined || stopped.has(key)) continue;
    try {
      await randomChange(client, key, history);
      count();
    } catch {
      stopped.add(key);
    }
  }
}

async function randomChange(client: LeanClient, key: string, history: VersionHistory): Promise<void> {
  const dice = Math.random();
  const victim = history.known[Math.floor(Math.random() * history.known.length)];
  if (victim !== undefined && (history.known.length > VERSIONS_EACH || dice < 0.1)) {
    history.beginRemove(victim.id);
    await answered(client.send('DELETE', `/load/${key}?versionId=${victim.id}`), 204);
    history.acknowledge(undefined);
  } else if (dice < 0.3) {
    history.beginAdd('marker');
    const { versionId } = await answered(client.send('DELETE', `/load/${key}`), 204);
    history.acknowledge(versionId);
  } else if (dice < 0.4) {
    const first = dice < 0.34 ? [randomBytes(5 * MiB)] : [];
    const parts = [...first, randomBytes(Math.floor(Math.random() * 100 * KiB))];
    const complete = await uploadParts(client, `/load/${key}`, parts);
    history.beginAdd(digest(Buffer.concat(parts)));
    history.acknowledge((await complete()).versionId);
  } else {
    const bytes = randomBytes(Math.floor(Math.random() * (dice < 0.7 ? 3 : 300) * KiB));
    history.beginAdd(digest(bytes));
    const { versionId } = await answered(client.send('PUT', `/load/${key}`, bytes), 200);
    history.acknowledge(versionId);
  }
}

async function checkEverything(client: LeanClient, histories: ReadonlyMap<string, VersionHistory>): Promise<void> {
  const seen = new Map<string, SeenVersion[]>([...histories.keys()].map((key) => [key, []]));
  for (const { marker, key, id, latest } of await listVersions(client, '/load', 'client-')) {
    const versions = seen.get(key) ?? [];
    expect(latest, `${key} ${id}`).toBe(versions.length === 0);
    versions.push({ id, content: marker ? 'marker' : await contentOf(client, key, id) });
  }
  const listing = (await answered(client.send('GET', '/load?list-type=2&prefix=client-'), 200)).body.toString();
  for (const [key, history] of histories) {
    const versions = seen.get(key) ?? [];
    expect(history.settle(versions), key).toBeUndefined();
    const current = versions[0]?.content ?? 'marker';
    const got = await client.send('GET', `/load/${key}`);
    expect(got.status === 200 ? digest(got.body) : 'marker', key).toBe(current);
    expect(listing.includes(`<Key>${key}</Key>`), key).toBe(current !== 'marker');
  }
}

async function contentOf(client: LeanClient, key: string, id: string): Promise<string> {
  return digest((await answered(client.send('GET', `/load/${key}?versionId=${id}`), 200)).body);
}
