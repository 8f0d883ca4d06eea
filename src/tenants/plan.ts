import { type PolicyDocument, samePolicy } from '../bucket/index.ts';
import type { ProviderProfile } from '../providers/index.ts';
import { type Isolation, isolationOf, sharesProject } from './isolation.ts';
import type { Tenant } from './model.ts';
import type { TenantChange, TenantPlan, TenantPlanInput, TenantQuota } from './plan-model.ts';
import { bucketPolicy, foreignStatements, identityPolicy, tenantStatements } from './policies.ts';
import { tenantProblems } from './problems.ts';

/** What a user of our server's who is a tenant carries its policy under; it is by this that tenants are told from users. */
export const TENANT_POLICY = 'tenant';

/** What must change so that each tenant has its own and nothing else. Pure. */
export function planTenants(input: TenantPlanInput): TenantPlan {
  const { kind, tradeOff } = isolationOf(input.profile);
  const { changes, byHand, notes } = plans[kind](input);
  return {
    isolation: kind,
    tradeOff,
    changes: [...newBuckets(input), ...changes],
    byHand,
    notes,
    problems: tenantProblems(input, kind),
  };
}

type Part = Pick<TenantPlan, 'changes' | 'byHand' | 'notes'>;

const plans: Readonly<Record<Isolation, (input: TenantPlanInput) => Part>> = {
  users: byUsers,
  identity: byIdentity,
  principals: byPrincipals,
  'own-bucket': byConsole,
};

/** Each bucket once, in the order of the tenants. */
export const tenantBuckets = (tenants: readonly Tenant[]): readonly string[] => [
  ...new Set(tenants.flatMap(({ places }) => places.map(({ bucket }) => bucket))),
];

const newBuckets = ({ tenants, live }: TenantPlanInput): readonly TenantChange[] =>
  tenantBuckets(tenants)
    .filter((bucket) => live.buckets.get(bucket) === undefined && !live.hidden.includes(bucket))
    .map((bucket) => ({ kind: 'create-bucket', bucket }));

function byUsers({ tenants, removed, live, profile }: TenantPlanInput): Part {
  const users = (live.users ?? []).filter(({ policies }) => TENANT_POLICY in policies);
  const changes: TenantChange[] = [];
  for (const tenant of tenants) {
    const { name, suspended } = tenant;
    const policy = identityPolicy(tenant, profile);
    const user = users.find((one) => one.name === name);
    const quota = quotaOf(tenant);
    if (user === undefined) changes.push({ kind: 'add-user', tenant: name, policy, quota });
    else {
      if (!sameText(user.policies[TENANT_POLICY], policy)) {
        changes.push({ kind: 'set-user-policy', tenant: name, policy });
      }
      if (JSON.stringify(user.quota) !== JSON.stringify(quota)) {
        changes.push({ kind: 'set-user-quota', tenant: name, quota });
      }
    }
    if (suspended && user?.enabled !== false) changes.push({ kind: 'suspend-user', tenant: name });
    if (!suspended && user?.enabled === false) changes.push({ kind: 'resume-user', tenant: name });
  }
  const others = users.filter(({ name }) => !tenants.some((tenant) => tenant.name === name));
  const gone = others.filter(({ name }) => removed.includes(name));
  const more = users.filter(({ policies }) => Object.keys(policies).length > 1);
  return {
    changes: [...changes, ...gone.map(({ name }) => ({ kind: 'remove-user' as const, tenant: name }))],
    byHand: [],
    notes: [
      ...others
        .filter(({ name }) => !removed.includes(name))
        .map(({ name }) => `the user ${name} is a tenant that bucketwright.yaml does not name; it keeps what it has`),
      ...more.map(({ name }) => `the user ${name} has other policies beside, and may do more than a tenant`),
    ],
  };
}

/** In the order in which the user's file keeps it. */
function quotaOf(tenant: Tenant): TenantQuota | undefined {
  const { quotaBytes: bytes } = tenant;
  return bytes === undefined ? undefined : { bytes, buckets: tenantBuckets([tenant]) };
}

function sameText(text: string | undefined, policy: PolicyDocument): boolean {
  return text === policyText(policy);
}

/** As it is kept in the user's file, and shown. */
export const policyText = (policy: PolicyDocument): string => `${JSON.stringify(policy, null, 2)}\n`;

function byIdentity({ tenants, removed, profile }: TenantPlanInput): Part {
  const commands = userCommands(profile);
  const steps = tenants.flatMap((tenant) =>
    tenant.suspended
      ? [commands.suspend(tenant.name)]
      : [
          `${tenant.name}-policy.json: ${JSON.stringify(identityPolicy(tenant, profile))}`,
          ...commands.add(tenant.name),
        ],
  );
  return {
    changes: [],
    byHand: [...steps, ...removed.map(commands.remove), ...quotaSteps(tenants, profile)],
    notes: [],
  };
}

interface UserCommands {
  /** Lets the user of `<name>-policy.json` in. */
  add(name: string): readonly string[];
  suspend(name: string): string;
  remove(name: string): string;
}

function userCommands({ usersBy = { tool: 'mc' } }: ProviderProfile): UserCommands {
  if (usersBy.tool === 'mc') {
    return {
      add: (name) => [
        `mc admin policy create ALIAS tenant-${name} ${name}-policy.json`,
        `mc admin user add ALIAS ${name}   (asks for the secret: at least 40 random characters)`,
        `mc admin policy attach ALIAS tenant-${name} --user ${name}`,
      ],
      suspend: (name) => `mc admin user disable ALIAS ${name}`,
      remove: (name) => `mc admin user remove ALIAS ${name}`,
    };
  }
  const { endpoint } = usersBy;
  const iam = endpoint === undefined ? 'aws iam' : `aws --endpoint-url ${endpoint} --region us-east-1 iam`;
  return {
    add: (name) => [
      `${iam} create-user --user-name ${name}`,
      `${iam} put-user-policy --user-name ${name} --policy-name tenant --policy-document file://${name}-policy.json`,
      `${iam} create-access-key --user-name ${name}`,
    ],
    suspend: (name) => `${iam} update-access-key --user-name ${name} --access-key-id ID --status Inactive`,
    remove: (name) =>
      `${iam} delete-user-policy --user-name ${name} --policy-name tenant, then its keys, then delete-user`,
  };
}

function byPrincipals(input: TenantPlanInput): Part {
  const { tenants, live, otherBuckets, administrators, profile } = input;
  const buckets = [...new Set([...tenantBuckets(tenants), ...otherBuckets, ...live.buckets.keys()])];
  const changes: TenantChange[] = [];
  const notes: string[] = [];
  const open: string[] = [];
  for (const bucket of buckets) {
    const found = live.buckets.get(bucket);
    if (found === undefined && !tenantBuckets(tenants).includes(bucket)) continue;
    const before = found?.policy;
    const facts = { bucket, tenants, administrators, profile };
    const ours = tenantStatements(facts);
    const known = tenantBuckets(tenants).includes(bucket) || otherBuckets.includes(bucket);
    const kept = foreignStatements(before);
    if (!known && ours.length > 0 && kept.length === listLength(before)) {
      open.push(bucket);
      continue;
    }
    const after = bucketPolicy(facts, before);
    if (kept.length > 0 && ours.length > 0) {
      notes.push(
        `the policy of ${bucket} has ${kept.length} statements that are not ours; they stay, and may allow more`,
      );
    }
    if (same(before, after)) continue;
    changes.push({ kind: 'set-bucket-policy', bucket, before, after });
  }
  const strange = live.hidden.filter((bucket) => !buckets.includes(bucket));
  if (strange.length > 0) {
    notes.push(`this key may not look at ${someOf(strange)}: not in bucketwright.yaml, so left alone`);
  }
  if (open.length > 0) {
    notes.push(
      `tenants of the administrators' project reach ${someOf(open)}: not in bucketwright.yaml, so left alone; name them under buckets to fence them off`,
    );
  }
  if (tenants.some((tenant) => sharesProject(tenant, administrators))) {
    notes.push(
      'of the buckets\u2019 own project, whatever a policy denies: every Ceph tells a key whether an object is there; Ceph 16 (not 18) also lets it copy others\u2019 objects into an upload part by part (UploadPartCopy) and see where notifications go. Give tenants who do not trust each other a project each, and run tenant audit',
    );
  }
  for (const name of input.removed) {
    notes.push(
      `end the keys of ${name} in the provider's console before it is removed: what names it goes, and a key of the administrators' project then reaches what is not fenced`,
    );
  }
  return { changes, byHand: [...consoleSteps(tenants, profile), ...quotaSteps(tenants, profile)], notes };
}

const SHOWN = 10;
const someOf = (names: readonly string[]): string =>
  names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;

const listLength = (policy: PolicyDocument | undefined) => {
  const statements = policy?.Statement;
  return statements === undefined ? 0 : Array.isArray(statements) ? statements.length : 1;
};

function same(before: PolicyDocument | undefined, after: PolicyDocument | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return samePolicy(before, after);
}

/** How somebody makes the keys that are still missing. */
function consoleSteps(tenants: readonly Tenant[], { name: provider }: ProviderProfile): readonly string[] {
  return tenants
    .filter(({ principals, suspended }) => principals.length === 0 && !suspended)
    .flatMap(({ name }) => keySteps(name, provider));
}

/** Where the operator's tools limit a bucket, and S3's API does not. */
function quotaSteps(tenants: readonly Tenant[], { quotas }: ProviderProfile): readonly string[] {
  return tenants.flatMap((tenant) =>
    (quotaOf(tenant)?.buckets ?? []).flatMap((bucket) => {
      const bytes = tenant.quotaBytes ?? 0;
      if (quotas === 'radosgw-admin') {
        const scope = `--quota-scope=bucket --bucket=${bucket}`;
        return [
          `radosgw-admin quota set ${scope} --max-size=${bytes}`,
          `radosgw-admin quota enable ${scope}   (counted with a delay of some minutes)`,
        ];
      }
      return quotas === 'mc' ? [`mc quota set ALIAS/${bucket} --size ${bytes}`] : [];
    }),
  );
}

/** How a tenant gets a key where no API makes one. */
export function keySteps(tenant: string, provider: string): readonly string[] {
  if (provider === 'hetzner') {
    return [
      `in https://console.hetzner.com make a project for ${tenant} (or open the project of the buckets; less is then sure)`,
      `there: Security > S3 credentials > Generate credentials, description "${tenant}"; copy both values now, the secret is not shown again`,
      'the project id is the number in the address of its pages: /projects/NUMBER/',
      `principals: [arn:aws:iam:::user/pNUMBER:ACCESS_KEY_ID] under ${tenant} in bucketwright.yaml, or tenant add ${tenant} --principal …`,
      'a new key may be refused for some minutes',
    ];
  }
  if (provider === 'ceph') {
    return [
      `radosgw-admin user create --uid=${tenant} --display-name=${tenant}   (prints access_key and secret_key)`,
      `principals: [arn:aws:iam:::user/${tenant}] under ${tenant} in bucketwright.yaml, or tenant add ${tenant} --principal …`,
    ];
  }
  return [`make a key for ${tenant} by the provider's own tools`];
}

function byConsole({ tenants, profile }: TenantPlanInput): Part {
  return {
    changes: [],
    byHand: tenants.map(({ name, places, suspended }) => {
      const buckets = [...new Set(places.map(({ bucket }) => bucket))].join(', ');
      return suspended
        ? `in ${profile.title}'s console, end the key of ${name}`
        : `in ${profile.title}'s console, make a key for ${name} that reaches ${buckets} and no other bucket`;
    }),
    notes: [],
  };
}
