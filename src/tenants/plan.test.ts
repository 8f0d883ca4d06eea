import { describe, expect, test } from 'vitest';
import { providerNamed } from '../providers/index.ts';
import type { Tenant } from './model.ts';
import { planTenants } from './plan.ts';
import type { TenantPlanInput } from './plan-model.ts';
import { bucketPolicy, identityPolicy, OUR_STATEMENTS } from './policies.ts';

const acme: Tenant = {
  name: 'acme',
  places: [{ bucket: 'shared', prefix: 'acme/' }],
  principals: [],
  quotaBytes: undefined,
  suspended: false,
};

function input(provider: string, more: Partial<TenantPlanInput> = {}): TenantPlanInput {
  const profile = providerNamed(provider);
  if (profile === undefined) throw new Error(provider);
  return {
    tenants: [acme],
    administrators: [],
    profile,
    keyId: 'ADMINKEY',
    otherBuckets: [],
    managedPolicies: [],
    removed: [],
    live: { buckets: new Map(), hidden: [], users: undefined, project: undefined },
    ...more,
  };
}

const problemsOf = (from: TenantPlanInput) => planTenants(from).problems.map(({ problem }) => problem);
const key = (project: string, id: string) => `arn:aws:iam:::user/${project}:${id}`;
const administrators = [key('p1', 'ADMINKEY')];
const inSameProject = { ...acme, principals: [key('p1', 'ACMEKEY')] };

describe('tenants on Hetzner', () => {
  test('without a key the steps at the console are printed, and nothing can be applied', () => {
    const plan = planTenants(input('hetzner', { administrators }));
    expect(plan.byHand.join('\n')).toMatch(/console\.hetzner\.com[\s\S]*S3 credentials[\s\S]*ACCESS_KEY_ID/);
    expect(plan.problems.map(({ problem }) => problem)).toEqual(['has no principal']);
  });

  test('keys of the same project are fenced by Deny with NotPrincipal; an Allow alone is never planned', () => {
    const plan = planTenants(input('hetzner', { administrators, tenants: [inSameProject] }));
    expect(plan.problems).toEqual([]);
    const change = plan.changes.find(({ kind }) => kind === 'set-bucket-policy');
    const text = JSON.stringify(change);
    expect(text).toContain('"NotPrincipal":{"AWS":["arn:aws:iam:::user/p1:ADMINKEY","arn:aws:iam:::user/p1:ACMEKEY"]}');
    expect(text).not.toContain('"Allow"');
  });

  test('a key of a second project is allowed its own, and needs no fence', () => {
    const tenants = [{ ...acme, principals: [key('p2', 'ACMEKEY')] }];
    const text = JSON.stringify(planTenants(input('hetzner', { administrators, tenants })).changes);
    expect(text).toContain('"s3:prefix":["acme/*"]');
    expect(text).not.toContain('NotPrincipal');
  });

  test('who provisions must be among the administrators by its key', () => {
    const others = [key('p1', 'OTHERKEY')];
    expect(problemsOf(input('hetzner', { administrators: others, tenants: [inSameProject] }))).toEqual([
      'the key that provisions is not among them and would be shut out for good',
    ]);
  });

  test('a wrong form, a shared key, an administrator and a quota are refused at once', () => {
    const tenants = [
      { ...inSameProject, quotaBytes: 1 },
      { ...inSameProject, name: 'beta', places: [{ bucket: 'beta', prefix: '' }] },
      { ...acme, name: 'gamma', places: [{ bucket: 'gamma', prefix: '' }], principals: ['arn:aws:iam::1:user/x'] },
      { ...acme, name: 'delta', places: [{ bucket: 'delta', prefix: '' }], principals: administrators },
    ];
    const problems = problemsOf(input('hetzner', { administrators, tenants })).join('\n');
    expect(problems).toMatch(/quota cannot be enforced/);
    expect(problems).toMatch(/ACMEKEY is acme, too/);
    expect(problems).toMatch(/arn:aws:iam::1:user\/x|matches nobody/);
    expect(problems).toMatch(/is an administrator/);
  });

  test('a bucket of the stack bars the keys of the project; one that nobody names is left alone and named', () => {
    const live = {
      buckets: new Map([
        ['shared', { policy: undefined }],
        ['loki', { policy: undefined }],
        ['attic', { policy: undefined }],
      ]),
      hidden: ['elsewhere'],
      users: undefined,
      project: 'p1',
    };
    const tenants = [inSameProject];
    const plan = planTenants(input('hetzner', { administrators, tenants, otherBuckets: ['loki'], live }));
    const buckets = plan.changes.map((change) => (change.kind === 'set-bucket-policy' ? change.bucket : ''));
    expect(buckets).toEqual(['shared', 'loki']);
    expect(plan.notes.join()).toContain('reach attic');
    // One that the key may not look at is no reason to stop, unless it is meant.
    expect(plan.problems).toEqual([]);
    expect(plan.notes.join()).toContain('may not look at elsewhere');
    const meant = input('hetzner', { administrators, tenants, otherBuckets: ['loki', 'elsewhere'], live });
    expect(problemsOf(meant)).toEqual(['this key may not look at it']);
  });
});

test('statements that are not ours are kept, ours replaced', () => {
  const { profile } = input('ceph');
  const theirs = {
    Sid: 'Theirs',
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::shared/public/*',
  };
  const old = { ...theirs, Sid: `${OUR_STATEMENTS}Old` };
  const facts = { bucket: 'shared', tenants: [inSameProject], administrators, profile };
  const policy = bucketPolicy(facts, { Version: '2012-10-17', Statement: [theirs, old] });
  const sids = JSON.stringify(policy).match(/"Sid":"[^"]+"/g);
  expect(sids?.[0]).toBe('"Sid":"Theirs"');
  expect(sids).not.toContain(`"Sid":"${OUR_STATEMENTS}Old"`);
  expect(sids?.length).toBe(1 + 6);
  expect(bucketPolicy({ ...facts, tenants: [] }, { Version: '2012-10-17', Statement: [old] })).toBeUndefined();
});

test('where keys reach whole buckets only, prefixes and shared buckets are refused', () => {
  const tenants = [acme, { ...acme, name: 'beta', places: [{ bucket: 'shared', prefix: '' }] }];
  expect(problemsOf(input('r2', { tenants })).join('\n')).toMatch(
    /cannot keep shared\/acme\/[\s\S]*shares shared with acme/,
  );
});

test.each([
  ['minio', 'mc admin policy attach ALIAS tenant-acme --user acme', 'mc admin user disable ALIAS acme'],
  ['rustfs', 'mc admin policy attach ALIAS tenant-acme --user acme', 'mc admin user disable ALIAS acme'],
  ['aws', 'aws iam put-user-policy --user-name acme', 'aws iam update-access-key --user-name acme'],
  [
    'wasabi',
    'aws --endpoint-url https://iam.wasabisys.com --region us-east-1 iam put-user-policy --user-name acme',
    'iam update-access-key --user-name acme',
  ],
])('%s gets the policy and the commands that its own tools take', (provider, add, suspend) => {
  const [first, ...commands] = planTenants(input(provider)).byHand;
  const text = /^acme-policy\.json: (.*)$/.exec(first ?? '')?.[1] ?? '';
  expect(JSON.parse(text)).toEqual(identityPolicy(acme, input(provider).profile));
  expect(commands.join('\n')).toContain(add);
  const stopped = planTenants(input(provider, { tenants: [{ ...acme, suspended: true }], removed: ['beta'] }));
  expect(stopped.byHand.join('\n')).toContain(suspend);
  expect(stopped.byHand.at(-1)).toContain('beta');
});
