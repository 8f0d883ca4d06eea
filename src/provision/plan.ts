import { type Attribute, attributes, type BucketConfiguration, harmOf, type LifecycleRule } from '../bucket/index.ts';
import type { ProviderProfile } from '../providers/index.ts';
import { type DesiredConfiguration, NONE } from '../settings/index.ts';
import type { LiveBucket, LiveConfiguration } from './actual.ts';
import { type DesiredBucket, OUR_RULES } from './desired.ts';
import type { PlanProblem } from './errors.ts';
import { type DiffLine, diffOf, meaningOf } from './meaning.ts';

/** One attribute that must become another. `undefined`: nothing is configured. */
export type AttributeChange<A extends Attribute = Attribute> = {
  [K in A]: {
    readonly attribute: K;
    readonly before: BucketConfiguration[K] | undefined;
    readonly after: BucketConfiguration[K] | undefined;
    readonly lines: readonly DiffLine[];
  };
}[A];

export interface BucketPlan {
  readonly name: string;
  readonly uses: readonly string[];
  readonly action: 'create' | 'update' | 'none';
  /** Whether the bucket must be made with object lock, which cannot be had later. */
  readonly withObjectLock: boolean;
  /** In the order in which they are carried out. */
  readonly changes: readonly AttributeChange[];
  /** What is there, is not in the manifest, and stays. */
  readonly unmanaged: readonly string[];
  /** Lifecycle rules are there or wanted, and the provider runs none as long as versioning is suspended, as it is. */
  readonly asleep: boolean;
  /** What people should know before they say yes. */
  readonly warnings: readonly string[];
}

export interface Plan {
  readonly buckets: readonly BucketPlan[];
  /** Buckets of this account that nothing names. */
  readonly unmanagedBuckets: readonly string[];
}

export interface PlanInput {
  readonly desired: readonly DesiredBucket[];
  readonly live: readonly LiveBucket[];
  /** The buckets of this account; undefined: it may not list them. */
  readonly owned: readonly string[] | undefined;
  readonly profile: ProviderProfile;
}

/** What must happen so that the live state becomes the desired one. Pure. */
export function makePlan({ desired, live, owned, profile }: PlanInput): {
  readonly plan: Plan;
  readonly problems: readonly PlanProblem[];
} {
  const problems: PlanProblem[] = [];
  const buckets = desired.map((bucket) => {
    const found = live.find(({ name }) => name === bucket.name);
    const actual = found ?? absent(bucket.name);
    problems.push(...stateProblems(bucket, actual, owned, profile));
    return planBucket(bucket, actual, profile);
  });
  const names = new Set(desired.map(({ name }) => name));
  return { plan: { buckets, unmanagedBuckets: (owned ?? []).filter((name) => !names.has(name)) }, problems };
}

const absent = (name: string): LiveBucket => ({
  name,
  presence: 'absent',
  configuration: {},
  unreadable: new Map(),
});

export const isEmptyPlan = ({ buckets }: Plan): boolean => buckets.every(({ action }) => action === 'none');

function planBucket(desired: DesiredBucket, live: LiveBucket, profile: ProviderProfile): BucketPlan {
  const target = targetOf(desired, live.configuration, new Set(live.unreadable.keys()));
  const changes: AttributeChange[] = [];
  for (const attribute of attributes) {
    const change = changeOf(attribute, target, live);
    if (change !== undefined) changes.push(change);
  }
  const { objectLock } = desired.configuration;
  const creates = live.presence === 'absent';
  return {
    name: desired.name,
    uses: desired.uses,
    action: creates ? 'create' : changes.length > 0 ? 'update' : 'none',
    withObjectLock: creates && objectLock !== undefined && objectLock !== NONE && objectLock.enabled,
    changes,
    unmanaged: unmanagedOf(desired, live.configuration),
    asleep: isAsleep(desired, live.configuration, profile),
    warnings: warningsOf(desired, live.configuration, changes, profile),
  };
}

/** What each managed attribute should be; those that are absent are left alone. */
type Target = { readonly [A in Attribute]?: { readonly value: BucketConfiguration[A] | undefined } };

function targetOf(desired: DesiredBucket, live: LiveConfiguration, unreadable: ReadonlySet<Attribute>): Target {
  const { configuration, defaults } = desired;
  const { versioning, objectLock, encryption, tags, cors, lifecycle, publicAccessBlock, policy } = configuration;
  const rules = lifecycle === NONE ? [] : lifecycle;
  // Our own additions alone are no reason to touch what cannot be read.
  const manages = rules !== undefined || (defaults.length > 0 && !unreadable.has('lifecycle'));
  return {
    ...(versioning === undefined || versioning === NONE ? {} : { versioning: { value: versioning } }),
    ...(objectLock === undefined || objectLock === NONE ? {} : { objectLock: { value: objectLock } }),
    ...(encryption === undefined ? {} : { encryption: { value: wanted(encryption) } }),
    ...(tags === undefined || tags === NONE ? {} : { tags: { value: emptyToNone({ ...live.tags, ...tags }) } }),
    ...(cors === undefined ? {} : { cors: { value: cors === NONE || cors.length === 0 ? undefined : cors } }),
    ...(manages ? { lifecycle: { value: targetRules(desired, rules ?? [], live.lifecycle ?? []) } } : {}),
    ...(publicAccessBlock === undefined ? {} : { publicAccessBlock: { value: wanted(publicAccessBlock) } }),
    ...(policy === undefined ? {} : { policy: { value: wanted(policy) } }),
  };
}

const wanted = <T>(value: T | typeof NONE): T | undefined => (value === NONE ? undefined : value);

function emptyToNone(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  return Object.keys(tags).length === 0 ? undefined : tags;
}

/** The manifest's rules and ours, beside those of others; ours that are no longer wanted go. */
function targetRules(
  { defaults, unmanagedRules }: DesiredBucket,
  rules: readonly LifecycleRule[],
  live: readonly LifecycleRule[],
): readonly LifecycleRule[] | undefined {
  const own = [...rules, ...defaults];
  const others = unmanagedRules === 'remove' ? [] : live.filter((rule) => isUnmanaged(rule, own));
  const all = [...others, ...own].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return all.length === 0 ? undefined : all;
}

const isUnmanaged = ({ id }: LifecycleRule, own: readonly LifecycleRule[]): boolean =>
  !id.startsWith(OUR_RULES) && !own.some((rule) => rule.id === id);

function changeOf<A extends Attribute>(
  attribute: A,
  target: Target,
  { presence, configuration }: LiveBucket,
): AttributeChange<A> | undefined {
  const entry = target[attribute];
  if (entry === undefined) return undefined;
  const before = configuration[attribute];
  const after = entry.value;
  // A bucket that does not exist has no versions either.
  if (presence === 'absent' && after === 'off') return undefined;
  if (meaningOf(attribute, before) === meaningOf(attribute, after)) return undefined;
  return change(attribute, before, after);
}

function change<A extends Attribute>(
  attribute: A,
  before: BucketConfiguration[A] | undefined,
  after: BucketConfiguration[A] | undefined,
): AttributeChange<A> {
  return { attribute, before, after, lines: diffOf(attribute, before, after) };
}

function unmanagedOf(desired: DesiredBucket, live: LiveConfiguration): readonly string[] {
  const { configuration, defaults, unmanagedRules } = desired;
  const names: string[] = [];
  const rules = configuration.lifecycle === NONE ? [] : (configuration.lifecycle ?? []);
  if (unmanagedRules === 'keep') {
    for (const rule of live.lifecycle ?? []) {
      if (isUnmanaged(rule, [...rules, ...defaults])) names.push(`lifecycle rule ${rule.id}`);
    }
  }
  const isMentioned = (attribute: keyof DesiredConfiguration) => configuration[attribute] !== undefined;
  const { tags, cors, policy, encryption, publicAccessBlock, objectLock, versioning } = live;
  if (tags !== undefined) {
    const known = configuration.tags === undefined || configuration.tags === NONE ? {} : configuration.tags;
    for (const key of Object.keys(tags)) if (!(key in known)) names.push(`tag ${key}`);
  }
  if (cors !== undefined && !isMentioned('cors')) names.push(`${cors.length} CORS rules`);
  if (policy !== undefined && !isMentioned('policy')) names.push('a bucket policy');
  if (encryption !== undefined && !isMentioned('encryption')) names.push(`default encryption ${encryption.algorithm}`);
  if (publicAccessBlock !== undefined && !isMentioned('publicAccessBlock')) names.push('a public access block');
  if (objectLock?.enabled === true && !isMentioned('objectLock')) names.push('object lock');
  if (versioning !== undefined && versioning !== 'off' && !isMentioned('versioning')) {
    names.push(`versioning ${versioning}`);
  }
  return names;
}

function isAsleep(
  { defaults, configuration }: DesiredBucket,
  { lifecycle, versioning }: LiveConfiguration,
  profile: ProviderProfile,
): boolean {
  if (profile.lifecycleNeedsActiveVersions !== true || versioning !== 'suspended') return false;
  const wanted = configuration.lifecycle === NONE ? [] : (configuration.lifecycle ?? []);
  return [...(lifecycle ?? []), ...wanted, ...defaults].length > 0;
}

function warningsOf(
  desired: DesiredBucket,
  live: LiveConfiguration,
  changes: readonly AttributeChange[],
  { policy: dialect, title }: ProviderProfile,
): readonly string[] {
  const warnings: string[] = [];
  const kept =
    changes.find(({ attribute }) => attribute === 'lifecycle') === undefined || desired.unmanagedRules === 'keep';
  const rules = desired.configuration.lifecycle === NONE ? [] : (desired.configuration.lifecycle ?? []);
  for (const rule of kept ? (live.lifecycle ?? []) : []) {
    if (!isUnmanaged(rule, [...rules, ...desired.defaults])) continue;
    for (const dependent of desired.dependents) {
      const harm = harmOf(rule, dependent);
      if (harm !== undefined) warnings.push(`${harm.found}, where ${dependent.use} keeps its objects: ${harm.why}`);
    }
  }
  for (const { attribute, before, after } of changes) {
    if (attribute === 'versioning' && after === 'enabled' && before === 'off') {
      warnings.push('versioning can never be switched off again, only suspended');
    }
    if (attribute === 'objectLock' && after?.retention?.mode === 'compliance') {
      warnings.push('compliance: nobody can delete new objects before their time, not even the provider');
    }
    if (attribute === 'policy' && after !== undefined && dialect.implicitDeny === true) {
      warnings.push(`on ${title} whoever the policy does not name is shut out: is the key that provisions among them?`);
    }
  }
  return warnings;
}

/** What the bucket's present state does not allow. */
function stateProblems(
  desired: DesiredBucket,
  live: LiveBucket,
  owned: readonly string[] | undefined,
  profile: ProviderProfile,
): readonly PlanProblem[] {
  const bucket = desired.name;
  const problems: PlanProblem[] = [];
  const refuse = (kind: PlanProblem['kind'], problem: string, advice: string) =>
    problems.push({ kind, bucket, problem, advice });
  if (live.presence === 'hidden') {
    if (owned !== undefined && !owned.includes(bucket)) {
      refuse('taken', 'the name is taken by somebody else', 'choose another: all accounts share the names');
    } else {
      refuse('denied', 'this key may not look at it', 'check the bucket policy and whose bucket it is');
    }
    return problems;
  }
  const { configuration } = desired;
  for (const [attribute, error] of live.unreadable) {
    if (configuration[attribute] === undefined) continue;
    if (error.code === 'denied') {
      refuse(
        'denied',
        `this key may not read its ${attribute}`,
        `allow it ${readRights[attribute]}, or leave ${attribute} out`,
      );
    } else {
      const kind = error.code === 'not-implemented' ? 'unsupported' : 'answer';
      refuse(kind, `its ${attribute} cannot be read (${error.code})`, error.advice ?? `leave ${attribute} out`);
    }
  }
  if (live.presence === 'absent') return problems;
  const { versioning, objectLock } = live.configuration;
  if (configuration.versioning === 'off' && versioning !== undefined && versioning !== 'off') {
    refuse('impossible', `versioning is ${versioning} and can never be off again`, 'write suspended');
  }
  if (configuration.versioning === 'suspended' && objectLock?.enabled === true) {
    refuse('impossible', 'versioning cannot be suspended with object lock', 'write enabled');
  }
  const { lifecycle } = configuration;
  const hasRules = lifecycle !== undefined && lifecycle !== NONE && lifecycle.length > 0;
  if (
    hasRules &&
    profile.lifecycleNeedsActiveVersions === true &&
    configuration.versioning === undefined &&
    versioning === 'suspended'
  ) {
    refuse(
      'impossible',
      `its versioning is suspended, and ${profile.title} then runs no lifecycle rule`,
      'write versioning: enabled, with a rule for noncurrent versions; or take a bucket that never had versions',
    );
  }
  const lock = configuration.objectLock;
  if (
    lock !== undefined &&
    lock !== NONE &&
    objectLock?.enabled !== true &&
    profile.features['object-lock'] !== 'yes'
  ) {
    refuse(
      'impossible',
      `object lock is only to be had when a bucket is made, on ${profile.title}`,
      'make a new bucket with it and move the objects: `bucketwright transfer`',
    );
  }
  const manages = configuration.lifecycle !== undefined || desired.defaults.length > 0;
  for (const { id, unknown = [] } of manages ? (live.configuration.lifecycle ?? []) : []) {
    if (unknown.length === 0) continue;
    refuse(
      'impossible',
      `its lifecycle rule ${id} holds ${unknown.join(', ')}, which would be lost`,
      'write the rule anew, or leave lifecycle out',
    );
  }
  return problems;
}

const readRights: Readonly<Record<Attribute, string>> = {
  versioning: 's3:GetBucketVersioning',
  objectLock: 's3:GetBucketObjectLockConfiguration',
  encryption: 's3:GetEncryptionConfiguration',
  tags: 's3:GetBucketTagging',
  cors: 's3:GetBucketCORS',
  lifecycle: 's3:GetLifecycleConfiguration',
  publicAccessBlock: 's3:GetBucketPublicAccessBlock',
  policy: 's3:GetBucketPolicy',
};
