import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArtifactStore, artifacts } from '../../src/artifacts/index.ts';
import { createBucketClient, createClient, type ObjectClient } from '../../src/client/index.ts';
import { DAY, HOUR } from '../../src/core/durations.ts';
import { providerNamed } from '../../src/providers/index.ts';
import { applyTenants, planTenants, readTenancy, type Tenant, tenantBuckets } from '../../src/tenants/index.ts';
import { UserStore } from '../../src/users/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary.ts';

// Two tenants with keys of their own in one bucket, as `bucketwright tenant` makes them: what a prefix's policy refuses (looking at
// uploads, listing above it) must not stand in the way, and neither's keys, URLs or tickets may reach the other.
const tenants: readonly Tenant[] = ['acme', 'beta'].map((name) => ({
  name,
  places: [{ bucket: 'shared', prefix: `tenants/${name}/` }],
  principals: [],
  quotaBytes: undefined,
  suspended: false,
}));
let server: TestServer;
let scratch: TemporaryDirectory;
const clients = new Map<string, ObjectClient>();
let moved = 0;

const open = (keysOf: string, storeOf = keysOf): ArtifactStore => {
  const [client, provider] = [clients.get(keysOf), providerNamed('embedded')];
  if (client === undefined || provider === undefined) throw new Error(keysOf);
  const clock = { now: () => Date.now() + moved };
  return artifacts({ client, bucket: 'shared', prefix: '', provider, tenant: storeOf, clock });
};

beforeAll(async () => {
  server = await startServer();
  scratch = await temporaryDirectory('artifact-tenants');
  const administrator = connectionTo(server, 'embedded');
  const client = createBucketClient(administrator);
  const users = new UserStore(server.data, undefined);
  const plan = planTenants({
    tenants,
    administrators: [],
    profile: administrator.provider,
    keyId: server.accessKeyId,
    otherBuckets: [],
    managedPolicies: [],
    removed: [],
    live: await readTenancy(client, administrator, tenantBuckets(tenants), users.list()),
  });
  for await (const { key, change } of applyTenants(plan, { client, dialect: administrator.provider.policy, users })) {
    if (key === undefined || change.kind !== 'add-user') continue;
    const { accessKeyId, secretAccessKey } = key;
    const endpoint = { ...server, accessKeyId, secretAccessKey: secretAccessKey.reveal() };
    clients.set(change.tenant, createClient(connectionTo(endpoint, 'embedded')));
  }
  client.close();
}, 120_000);
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await server?.stop();
  await scratch?.remove();
}, 60_000);

test('a tenant does everything with its own keys, in parts and by gc, too', async () => {
  const path = join(scratch.path, 'large');
  await writeFile(path, randomBytes(20 * 1024 * 1024));
  for (const tenant of ['acme', 'beta']) {
    const store = open(tenant);
    const { artifact, uploaded } = await store.push({ name: 'p/orders', version: '1', path });
    // The same content is not shared: whose store has it would tell the other that it is there.
    expect(uploaded).toBe(artifact.content.size);
    await store.promote({ reference: { by: 'version', name: 'p/orders', version: '1' }, channel: 'live', by: tenant });
    const target = join(scratch.path, tenant);
    await store.pull({ artifact: (await store.resolve('p/orders@live')).artifact, target });
    expect((await readFile(target)).equals(await readFile(path))).toBe(true);
    moved = 2 * DAY;
    const plan = await store.planGc({ versions: 0, entries: 1, grace: HOUR });
    expect(await store.applyGc(plan)).toBe(plan.actions.length);
    moved = 0;
  }
}, 120_000);

test("neither keys, URLs nor tickets reach the other tenant's artifacts", async () => {
  const theirs = open('beta');
  const { artifact } = await theirs.resolve('p/orders@live');
  const stolen = open('acme', 'beta');
  const attempts: readonly [string, () => Promise<unknown>][] = [
    ['resolve', () => stolen.resolve('p/orders@live')],
    ['names', () => stolen.names()[Symbol.asyncIterator]().next()],
    ['pull', () => stolen.pull({ artifact, target: join(scratch.path, 'stolen') })],
    ['push', () => stolen.push({ name: 'p/orders', version: '2', path: join(scratch.path, 'acme') })],
    ['rollback', () => stolen.rollback({ name: 'p/orders', channel: 'live', by: 'x' })],
    ['gc', () => stolen.planGc({ versions: 0, entries: 1, grace: HOUR })],
    ['link', () => stolen.makeLink({ artifact, expiresSeconds: 60, once: true })],
  ];
  for (const [what, attempt] of attempts) {
    await expect(attempt(), what).rejects.toMatchObject({ code: 'denied' });
  }
  // A URL signed by the wrong tenant's key is made without asking, and refused when it is used.
  const forged = await fetch(stolen.url({ artifact, expiresSeconds: 60 }));
  expect(forged.status).toBe(403);
  const { ticket } = await theirs.makeLink({ artifact, expiresSeconds: 60, once: false });
  await expect(open('acme').openLink(ticket.reveal(), '127.0.0.1')).rejects.toMatchObject({ code: 'ticket' });
  expect((await theirs.verify('p/orders', { content: true })[Symbol.asyncIterator]().next()).value).toMatchObject({
    status: 'ok',
  });
}, 60_000);
