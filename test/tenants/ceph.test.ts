import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BucketClient, createBucketClient } from '../../src/client/index.ts';
import type { Connection } from '../../src/providers/index.ts';
import {
  type AuditedTenant,
  applyTenants,
  bucketPolicy,
  planTenants,
  readTenancy,
  type Tenant,
  type TenantPlan,
  tenantBuckets,
} from '../../src/tenants/index.ts';
import { connectionTo } from '../provision/targets.ts';
import { isCeph16, type RgwEndpoint, rgwMissing, startRgw } from '../support/rgw.ts';
import { skipUnless } from '../support/skip.ts';
import { auditAll } from './audit.ts';
import { mutationsOf } from './mutations.ts';

const missing = rgwMissing();

/** Keys of the buckets' own project are subusers here, as Hetzner's keys are; `foreign-*` are projects of their own. */
const tenant = (name: string, principal: string, bucket: string, prefix: string): Tenant => ({
  name,
  places: [{ bucket, prefix }],
  principals: [principal],
  quotaBytes: undefined,
  suspended: false,
});

const sameProject = [
  tenant('acme', 'arn:aws:iam:::user/p1001:acme', 'shared', 'acme/'),
  tenant('acme-test', 'arn:aws:iam:::user/p1001:acmetest', 'shared', 'acme-test/'),
  tenant('beta', 'arn:aws:iam:::user/p1001:beta', 'beta-files', ''),
];
const ownProjects = [
  tenant('gamma', 'arn:aws:iam:::user/gamma', 'apart', 'gamma/'),
  tenant('gamma-test', 'arn:aws:iam:::user/gammatest', 'apart', 'gamma-test/'),
  tenant('delta', 'arn:aws:iam:::user/delta', 'delta-files', ''),
];
const administrators = ['arn:aws:iam:::user/p1001:admin'];

/**
 * What no policy closes to keys of the buckets' own project on release 16, and release 18 does. It does not look at a Deny
 * when the source of a copied part is in a bucket of the same project: the part holds the other tenant's bytes. It lands in
 * the attacker's own upload, which is then not as it was laid out. And who reads notifications goes by the owner alone.
 */
const knownLeak =
  /^tenant-leak .*(?:UploadPartCopy|: GetBucketNotificationConfiguration)|^tenant-unharmed .*a part of the unfinished upload/;

const unexpected = (failures: readonly string[]) => failures.filter((line) => !(isCeph16 && knownLeak.test(line)));

skipUnless(missing === undefined, missing ?? '')('tenants of a real Ceph', () => {
  let rgw: RgwEndpoint;
  let administrator: Connection;
  let client: BucketClient;
  const audited = new Map<string, AuditedTenant>();

  const withKey = (name: string) =>
    connectionTo({ ...rgw, accessKeyId: `KEYOF${name.toUpperCase()}`, secretAccessKey: `secret-of-${name}` }, 'ceph');

  const planFor = async (tenants: readonly Tenant[], named = administrators): Promise<TenantPlan> =>
    planTenants({
      tenants,
      administrators: named,
      profile: administrator.provider,
      keyId: administrator.credentials.accessKeyId.reveal(),
      otherBuckets: ['stack-loki'],
      managedPolicies: [],
      removed: [],
      live: await readTenancy(client, administrator, [...tenantBuckets(tenants), 'stack-loki'], undefined),
    });

  async function apply(tenants: readonly Tenant[]): Promise<void> {
    const plan = await planFor(tenants);
    expect(plan.problems).toEqual([]);
    for await (const _ of applyTenants(plan, { client, dialect: administrator.provider.policy, users: undefined })) {
      // Each is carried out as it is asked for.
    }
    expect((await planFor(tenants)).changes).toEqual([]);
  }

  const participants = (tenants: readonly Tenant[]) =>
    tenants.flatMap(({ name }) => {
      const one = audited.get(name);
      return one === undefined ? [] : [one];
    });

  beforeAll(async () => {
    rgw = await startRgw();
    const keys = (name: string) => [`--access-key=KEYOF${name.toUpperCase()}`, `--secret-key=secret-of-${name}`];
    for (const name of ['admin', 'acme', 'acmetest', 'beta']) {
      const subuser = ['--uid=p1001', `--subuser=p1001:${name}`, '--key-type=s3', '--access=full'];
      await rgw.admin('subuser', 'create', ...subuser, ...keys(name));
    }
    for (const name of ['gamma', 'gammatest', 'delta']) {
      await rgw.admin('user', 'create', `--uid=${name}`, `--display-name=${name}`, ...keys(name));
    }
    administrator = withKey('admin');
    client = createBucketClient(administrator);
    await client.create('stack-loki');
    for (const { name, places, principals } of [...sameProject, ...ownProjects]) {
      const key = principals[0]?.replace(/.*[:/]/, '') ?? '';
      audited.set(name, { name, places, connection: withKey(key) });
    }
  }, 180_000);
  afterAll(async () => {
    client?.close();
    await rgw?.[Symbol.asyncDispose]();
  });

  test('without a policy every key of the project reaches everything: the audit says so', async () => {
    await client.create('shared');
    await client.create('beta-files');
    const { failures } = await auditAll(participants(sameProject), administrator, { until: () => true });
    expect(failures).not.toEqual([]);
  }, 300_000);

  test('what is worthless or would shut us out is refused', async () => {
    const problems = async (tenants: readonly Tenant[], named: string[]) =>
      (await planFor(tenants, named)).problems.map(({ problem }) => problem).join('\n');
    expect(await problems(sameProject, [])).toContain('nobody is named who must stay in');
    expect(await problems(sameProject, ['arn:aws:iam:::user/p1001'])).toContain('means every key of its project');
    expect(await problems(sameProject, ['arn:aws:iam:::user/p9999:key'])).toContain('none of them is of p1001');
    expect(await problems(sameProject, ['p1001:admin'])).toContain('matches nobody');
  });

  test('keys of the same project: nothing leaks but by a copied part, what must work does', async () => {
    await apply(sameProject);
    const { failures, results } = await auditAll(participants(sameProject), administrator, {
      otherBuckets: ['stack-loki'],
    });
    expect(unexpected(failures)).toEqual([]);
    // When this fails, Debian 12's Ceph has mended it: take the known leak, its note in the plan and in the how-to away.
    if (isCeph16) expect(failures.filter((line) => /UploadPartCopy/.test(line)).length).toBeGreaterThan(0);
    expect(results.length).toBeGreaterThan(1000);
    // Of both releases: whether a key is there, and that there are other buckets.
    const visible = results.flatMap(({ verdict, operation }) => (verdict === 'visible' ? [operation] : []));
    expect([...new Set(visible)].toSorted()).toEqual(['GetObject', 'HeadObject', 'ListBuckets']);
  }, 300_000);

  test.each(['shared', 'beta-files'].flatMap((bucket) => mutations(bucket, sameProject)))(
    'the audit notices the policy of $bucket $name',
    async ({ bucket, policy }) => {
      await expectNoticed(bucket, policy, sameProject);
    },
    300_000,
  );

  test('keys of projects of their own: nothing leaks, what must work does', async () => {
    await apply([...sameProject, ...ownProjects]);
    const { failures, results } = await auditAll(participants(ownProjects), administrator, {
      otherBuckets: ['stack-loki'],
    });
    expect(failures).toEqual([]);
    expect(results.filter(({ verdict }) => verdict === 'visible')).toEqual([]);
  }, 300_000);

  function mutations(bucket: string, tenants: readonly Tenant[]) {
    const profile = connectionTo(nowhere, 'ceph').provider;
    const policy = bucketPolicy({ bucket, tenants, administrators, profile }, undefined);
    return policy === undefined ? [] : mutationsOf(policy).map((mutation) => ({ bucket, ...mutation }));
  }

  async function expectNoticed(bucket: string, policy: Parameters<typeof mutationsOf>[0], tenants: readonly Tenant[]) {
    try {
      await client.write(bucket, 'policy', policy);
      const { failures } = await auditAll(participants(tenants), administrator, {
        until: (failure) => unexpected([failure]).length > 0,
      });
      expect(unexpected(failures)).not.toEqual([]);
    } finally {
      const right = bucketPolicy({ bucket, tenants, administrators, profile: administrator.provider }, undefined);
      if (right !== undefined) await client.write(bucket, 'policy', right);
    }
  }

  test.each(['apart', 'delta-files'].flatMap((bucket) => mutations(bucket, ownProjects)))(
    'the audit notices the policy of $bucket $name',
    async ({ bucket, policy }) => {
      await apply(ownProjects);
      await expectNoticed(bucket, policy, ownProjects);
    },
    300_000,
  );
});

const nowhere = {
  url: 'http://127.0.0.1:1',
  host: '127.0.0.1',
  port: 1,
  region: 'fsn1',
  accessKeyId: 'x',
  secretAccessKey: 'x',
};
