import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BucketClient, createBucketClient } from '../../src/client/index.ts';
import type { Connection } from '../../src/providers/index.ts';
import { operations } from '../../src/s3/operations/index.ts';
import { attacks } from '../../src/tenants/audit/index.ts';
import {
  type AuditedTenant,
  applyTenants,
  identityPolicy,
  planTenants,
  policyText,
  readTenancy,
  TENANT_POLICY,
  type Tenant,
  tenantBuckets,
} from '../../src/tenants/index.ts';
import { UserStore } from '../../src/users/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { auditAll } from './audit.ts';
import { mutationsOf } from './mutations.ts';

const tenant = (name: string, bucket: string, prefix: string): Tenant => ({
  name,
  places: [{ bucket, prefix }],
  principals: [],
  quotaBytes: undefined,
  suspended: false,
});

/** Two in one bucket, one of whose prefix begins as the other's does; one with a bucket of its own. */
const tenants = [
  tenant('acme', 'shared', 'acme/'),
  tenant('acme-test', 'shared', 'acme-test/'),
  tenant('beta', 'beta-files', ''),
];

describe('tenants of the embedded server', () => {
  let server: TestServer;
  let administrator: Connection;
  let client: BucketClient;
  let users: UserStore;
  let audited: readonly AuditedTenant[];

  const plan = async (wanted: readonly Tenant[], removed: readonly string[] = []) =>
    planTenants({
      tenants: wanted,
      administrators: [],
      profile: administrator.provider,
      keyId: server.accessKeyId,
      otherBuckets: [],
      managedPolicies: [],
      removed,
      live: await readTenancy(client, administrator, tenantBuckets(wanted), users.list()),
    });

  beforeAll(async () => {
    server = await startServer();
    administrator = connectionTo(server, 'embedded');
    client = createBucketClient(administrator);
    users = new UserStore(server.data, undefined);
    await client.create('of-nobody');
    const found: AuditedTenant[] = [];
    const steps = applyTenants(await plan(tenants), { client, dialect: administrator.provider.policy, users });
    for await (const { key, change } of steps) {
      if (key === undefined || change.kind !== 'add-user') continue;
      const { places } = tenants.find(({ name }) => name === change.tenant) ?? { places: [] };
      const { accessKeyId, secretAccessKey } = key;
      const connection = connectionTo(
        { ...server, accessKeyId, secretAccessKey: secretAccessKey.reveal() },
        'embedded',
      );
      found.push({ name: change.tenant, places, connection });
    }
    audited = found;
  }, 120_000);
  afterAll(async () => {
    client?.close();
    await server?.stop();
  });

  test('nothing leaks by any operation or trick, and all that must work does', async () => {
    const { results, failures, lines } = await auditAll(audited, administrator, { otherBuckets: ['of-nobody'] });
    expect(failures).toEqual([]);
    expect(lines.filter((line) => line.startsWith('tenant-works'))).toHaveLength(3);
    const pairs = new Set(results.map(({ attacker, victim }) => `${attacker} ${victim}`));
    expect(pairs.size).toBe(6 + 3 + 3);
    expect(results.length).toBeGreaterThan(1200);
    expect(results.filter(({ verdict }) => verdict === 'visible')).toEqual([]);
    // Nothing was skipped in silence: these the server does not have at all.
    const unknown = new Set(
      results.flatMap(({ verdict, operation }) => (verdict === 'unsupported' ? [operation] : [])),
    );
    const known = new Set(operations.map(({ name }) => name));
    expect([...unknown].filter((name) => known.has(name))).toEqual([]);
    expect([...unknown].toSorted()).toEqual([
      'GetObjectTorrent',
      'PutBucketRequestPayment',
      'RestoreObject',
      'SelectObjectContent',
    ]);
  }, 300_000);

  test('every operation that our server answers is among the attacks', () => {
    const tried = new Set(attacks.map(({ operation }) => operation));
    expect(operations.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  });

  test('a second plan has nothing to do; a changed place, a suspension and a removal are told', async () => {
    expect((await plan(tenants)).changes).toEqual([]);
    const moved = [tenant('acme', 'shared', 'elsewhere/'), ...tenants.slice(1)];
    expect((await plan(moved)).changes.map(({ kind }) => kind)).toEqual(['set-user-policy']);
    const suspended = tenants.map((one) => ({ ...one, suspended: one.name === 'beta' }));
    expect((await plan(suspended)).changes).toEqual([{ kind: 'suspend-user', tenant: 'beta' }]);
    const fewer = tenants.slice(0, 2);
    expect((await plan(fewer)).changes).toEqual([]);
    expect((await plan(fewer, ['beta'])).changes).toEqual([{ kind: 'remove-user', tenant: 'beta' }]);
  });

  const mutations = tenants.flatMap((one) =>
    mutationsOf(identityPolicy(one, connectionTo(fakeEndpoint(), 'embedded').provider)).map((mutation) => ({
      tenant: one.name,
      ...mutation,
    })),
  );

  test.each(mutations)(
    'the audit notices the policy of $tenant $name',
    async ({ tenant: name, policy }) => {
      const { provider } = administrator;
      const right = tenants.find((one) => one.name === name);
      if (right === undefined) throw new Error(name);
      try {
        await users.setPolicy(name, TENANT_POLICY, policyText(policy));
        await noticed();
        const { failures } = await auditAll(audited, administrator, { until: () => true });
        expect(failures).not.toEqual([]);
      } finally {
        await users.setPolicy(name, TENANT_POLICY, policyText(identityPolicy(right, provider)));
        await noticed();
      }
    },
    120_000,
  );

  test('a policy that is too wide by one prefix leaks by name', async () => {
    const wide = identityPolicy({ places: [{ bucket: 'shared', prefix: 'acme' }] }, administrator.provider);
    try {
      await users.setPolicy('acme', TENANT_POLICY, policyText(wide));
      await noticed();
      const { failures } = await auditAll(audited, administrator);
      expect(failures.some((line) => line.startsWith('tenant-leak acme > shared/acme-test/: GetObject'))).toBe(true);
      expect(failures.some((line) => line.startsWith('tenant-unharmed shared/acme-test/'))).toBe(true);
    } finally {
      const right = identityPolicy(tenants[0] ?? { places: [] }, administrator.provider);
      await users.setPolicy('acme', TENANT_POLICY, policyText(right));
      await noticed();
    }
  }, 300_000);
});

/** A server looks at its users ten times a second. */
const noticed = () => new Promise((resolve) => setTimeout(resolve, 250));

function fakeEndpoint() {
  return { url: 'http://127.0.0.1:1', host: '127.0.0.1', port: 1, region: 'x', accessKeyId: 'x', secretAccessKey: 'x' };
}
