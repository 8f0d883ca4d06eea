import { type Json, listOf, type PolicyDocument } from '../bucket/index.ts';
import type { ProviderProfile } from '../providers/index.ts';
import { sharesProject } from './isolation.ts';
import type { Tenant } from './model.ts';
import {
  allowing,
  barring,
  deletingMany,
  denying,
  fencing,
  opening,
  type Share,
  type Statement,
} from './statements.ts';

/** Statements with such names are ours: they are replaced as a whole, all others are left alone. */
export const OUR_STATEMENTS = 'BucketwrightTenant';

const VERSION = '2012-10-17';

/** What of each bucket is the tenant's, by bucket. */
export function sharesOf({ places }: Pick<Tenant, 'places'>): readonly Share[] {
  const buckets = [...new Set(places.map(({ bucket }) => bucket))];
  return buckets.map((bucket) => ({
    bucket,
    prefixes: places.filter((place) => place.bucket === bucket).map(({ prefix }) => prefix),
  }));
}

/** What a user who is the tenant is allowed: its places and nothing else. */
export function identityPolicy(tenant: Pick<Tenant, 'places'>, profile: ProviderProfile): PolicyDocument {
  return { Version: VERSION, Statement: sharesOf(tenant).flatMap(statementsOf) };
  function statementsOf(share: Share): readonly Statement[] {
    return allowing(share, profile).map(([, Effect, what]) => ({ Effect, ...what }));
  }
}

export interface BucketPolicyInput {
  readonly bucket: string;
  readonly tenants: readonly Tenant[];
  /** Who must stay in, whatever is denied. */
  readonly administrators: readonly string[];
  readonly profile: ProviderProfile;
}

/**
 * What the policy of one bucket says about tenants; empty: nothing. Where any tenant's keys are of the administrators'
 * own project, which reach every bucket of it, what is not theirs is denied; keys of other projects are allowed theirs.
 */
export function tenantStatements(input: BucketPolicyInput): readonly Statement[] {
  const { bucket, tenants, administrators, profile } = input;
  const sameProject = tenants.filter((tenant) => sharesProject(tenant, administrators));
  const members = tenants.filter(
    ({ places, suspended }) => !suspended && places.some((place) => place.bucket === bucket),
  );
  const isTenants = tenants.some(({ places }) => places.some((place) => place.bucket === bucket));
  const named: [string, Statement][] = [];
  if (sameProject.length > 0 && isTenants) {
    const spared = [...administrators, ...members.flatMap(({ principals }) => principals)];
    named.push(['Fence', fencing(bucket, spared)]);
  } else if (sameProject.length > 0) {
    named.push([
      'Others',
      barring(
        bucket,
        sameProject.flatMap(({ principals }) => principals),
      ),
    ]);
  }
  for (const tenant of members) {
    const Principal = { AWS: [...tenant.principals] };
    const share = sharesOf(tenant).find((one) => one.bucket === bucket);
    if (share === undefined || tenant.principals.length === 0) continue;
    const statements = sameProject.includes(tenant)
      ? denying(share)
      : [...allowing(share, profile), deletingMany(bucket), opening(bucket)];
    for (const [name, Effect, what] of statements) {
      named.push([`${pascal(tenant.name)}${name}`, { Effect, Principal, ...what }]);
    }
  }
  const names = named.map(([name]) => name);
  return named.map(([name, statement], index) => {
    // `a-b` and `ab` are two tenants.
    const earlier = names.slice(0, index).filter((other) => other === name).length;
    return { Sid: `${OUR_STATEMENTS}${name}${earlier === 0 ? '' : earlier + 1}`, ...statement };
  });
}

/** The policy that a bucket should have, with what others wrote into it kept; undefined: none at all. */
export function bucketPolicy(input: BucketPolicyInput, live: PolicyDocument | undefined): PolicyDocument | undefined {
  const kept = foreignStatements(live);
  const statements: Json[] = [...kept, ...tenantStatements(input)];
  return statements.length === 0 ? undefined : { Version: VERSION, Statement: statements };
}

/** Statements of a live policy that are not ours. */
export function foreignStatements(policy: PolicyDocument | undefined): readonly Json[] {
  return listOf(policy?.Statement).filter((statement) => !isOurs(statement));
}

function isOurs(statement: Json): boolean {
  if (typeof statement !== 'object' || statement === null || Array.isArray(statement)) return false;
  const sid = Object.entries(statement).find(([name]) => name === 'Sid')?.[1];
  return typeof sid === 'string' && sid.startsWith(OUR_STATEMENTS);
}

/** Sids hold only letters and digits on AWS. */
const pascal = (name: string) =>
  name
    .split('-')
    .map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`)
    .join('');
