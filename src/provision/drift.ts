import {
  type Attribute,
  type CanonicalStatement,
  canonicalPolicy,
  type LifecycleRule,
  type PolicyDocument,
} from '../bucket/index.ts';
import type { Finding } from '../core/finding.ts';
import type { AttributeChange, BucketPlan, Plan } from './plan.ts';

/** Who is stricter: keeps more, allows less. */
type Stricter = 'the bucket' | 'the manifest' | 'neither';

interface Drift {
  /** What drifted within the attribute, such as `rule logs`. */
  readonly part: string;
  readonly found: string;
  readonly expected: string;
  readonly stricter: Stricter;
  /** What may happen while it stays so. */
  readonly risk: string;
}

/**
 * What was changed by hand, one finding each: the plan read the other way round. Said with who is stricter and what may
 * happen. What nobody manages is named and left alone, and a failure where it deletes what a program keeps.
 */
export function driftFindings(plan: Plan): readonly Finding[] {
  return plan.buckets.flatMap(bucketFindings);
}

function bucketFindings(bucket: BucketPlan): readonly Finding[] {
  const subject = `bucket ${bucket.name}`;
  const advice = 'bucketwright provision apply puts it right; if the bucket is right, write it into the manifest';
  const harmful = bucket.warnings
    // What holds only for applying is said there.
    .filter((warning) => warning.startsWith('rule '))
    .map(
      (warning): Finding => ({
        id: 'unmanaged-rule',
        status: 'fail',
        subject,
        found: warning,
        expected: 'no rule that the manifest does not know where a program keeps its objects',
        why: 'nobody named it in the manifest, and it deletes all the same',
        advice: 'remove it, or write unmanagedRules: remove for this bucket and apply',
      }),
    );
  const asleep: Finding[] = bucket.asleep
    ? [
        {
          id: 'lifecycle-asleep',
          status: 'fail',
          subject,
          found: 'versioning is suspended, and this provider then runs no lifecycle rule',
          expected: 'rules that run',
          why: 'stricter: the bucket; nothing is deleted any more: it costs, and outlives what was promised',
          advice: 'write versioning: enabled, with a rule for noncurrent versions, and apply',
        },
      ]
    : [];
  const unmanaged: Finding[] =
    bucket.unmanaged.length === 0
      ? []
      : [{ id: 'unmanaged', status: 'skip', subject, found: `left alone: ${bucket.unmanaged.join(', ')}` }];
  if (bucket.action === 'create') {
    const why = 'stricter: neither; whatever writes to it fails, or makes it without its rules';
    return [{ id: 'drift-bucket', status: 'fail', subject, found: 'is missing', expected: 'present', why, advice }];
  }
  const drifts = bucket.changes.flatMap((change) =>
    driftsOf(change).map(
      ({ part, found, expected, stricter, risk }): Finding => ({
        id: `drift-${kebab(change.attribute)}`,
        status: 'fail',
        subject: part === '' ? subject : `${subject} ${part}`,
        found,
        expected,
        why: `stricter: ${stricter}; ${risk}`,
        advice,
      }),
    ),
  );
  const failures = [...drifts, ...asleep, ...harmful];
  if (failures.length > 0) return [...failures, ...unmanaged];
  return [{ id: 'drift', status: 'ok', subject, found: 'as the manifest says' }, ...unmanaged];
}

const kebab = (attribute: Attribute) => attribute.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function driftsOf(change: AttributeChange): readonly Drift[] {
  switch (change.attribute) {
    case 'versioning':
      return [versioningDrift(change)];
    case 'lifecycle':
      return ruleDrifts(change.before ?? [], change.after ?? []);
    case 'policy':
      return policyDrifts(change.before, change.after);
    case 'objectLock':
      return [lockDrift(change)];
    case 'publicAccessBlock':
    case 'encryption':
    case 'tags':
    case 'cors':
      return lineDrifts(change);
  }
}

function versioningDrift({ before = 'off', after = 'off' }: AttributeChange<'versioning'>): Drift {
  const kept = before === 'enabled';
  return {
    part: 'versioning',
    found: before,
    expected: after,
    stricter: kept ? 'the bucket' : 'the manifest',
    risk: kept
      ? 'deleted and replaced objects stay and cost; nothing is lost'
      : 'deleted and replaced objects are lost at once',
  };
}

function lockDrift({ before, after }: AttributeChange<'objectLock'>): Drift {
  const text = (lock: typeof before) => {
    if (lock === undefined || !lock.enabled) return 'no object lock';
    const { retention } = lock;
    if (retention === undefined) return 'no default retention';
    return `${retention.mode} ${retention.days === undefined ? `${retention.years} years` : `${retention.days} days`}`;
  };
  const days = (lock: typeof before) => lock?.retention?.days ?? (lock?.retention?.years ?? 0) * 365;
  const rank = (lock: typeof before) => (lock?.retention?.mode === 'compliance' ? 1 : 0);
  const weaker = days(before) < days(after) || rank(before) < rank(after);
  return {
    part: 'object lock',
    found: text(before),
    expected: text(after),
    stricter: weaker ? 'the manifest' : 'the bucket',
    risk: weaker
      ? 'new objects can be deleted earlier than promised'
      : 'new objects cannot be deleted when they should be, and cost longer',
  };
}

function ruleDrifts(live: readonly LifecycleRule[], wanted: readonly LifecycleRule[]): readonly Drift[] {
  const drifts: Drift[] = [];
  for (const rule of wanted) {
    const found = live.find(({ id }) => id === rule.id);
    if (found === undefined) {
      drifts.push({
        part: `lifecycle rule ${rule.id}`,
        found: 'is missing',
        expected: actionText(rule),
        stricter: 'the bucket',
        risk: goneRisk(rule),
      });
    } else if (JSON.stringify(found) !== JSON.stringify(rule)) drifts.push(...fieldDrifts(found, rule));
  }
  for (const rule of live) {
    if (wanted.some(({ id }) => id === rule.id)) continue;
    drifts.push({
      part: `lifecycle rule ${rule.id}`,
      found: actionText(rule),
      expected: 'no such rule',
      stricter: 'the manifest',
      risk: rule.enabled ? 'it deletes what the manifest keeps' : 'none while it is disabled',
    });
  }
  return drifts;
}

const timers = [
  ['expireDays', 'objects go'],
  ['noncurrentDays', 'old versions go'],
  ['abortUploadsDays', 'unfinished uploads go'],
] as const;

function fieldDrifts(found: LifecycleRule, wanted: LifecycleRule): readonly Drift[] {
  const part = `lifecycle rule ${wanted.id}`;
  const drifts: Drift[] = [];
  const say = (name: string, before: unknown, after: unknown, stricter: Stricter, risk: string) =>
    drifts.push({ part, found: `${name} ${shown(before)}`, expected: `${name} ${shown(after)}`, stricter, risk });
  if (found.enabled !== wanted.enabled) {
    const risk = found.enabled ? 'it deletes although it should not be in force' : goneRisk(wanted);
    say('enabled', found.enabled, wanted.enabled, found.enabled ? 'the manifest' : 'the bucket', risk);
  }
  for (const [field, what] of timers) {
    const [before, after] = [found[field], wanted[field]];
    if (before === after) continue;
    const sooner = (before ?? Number.POSITIVE_INFINITY) < (after ?? Number.POSITIVE_INFINITY);
    const risk = sooner
      ? `${what} ${after === undefined ? 'although the manifest keeps them' : `${after - (before ?? 0)} days too early, and are lost`}`
      : `${what} ${before === undefined ? 'never' : `${before - (after ?? 0)} days too late`}: they cost, and stay longer than promised`;
    say(field, before, after, sooner ? 'the manifest' : 'the bucket', risk);
  }
  if (found.prefix !== wanted.prefix) {
    const wider = wanted.prefix.startsWith(found.prefix);
    const narrower = found.prefix.startsWith(wanted.prefix);
    const [stricter, risk]: [Stricter, string] = wider
      ? ['the manifest', 'the rule hits more than it should, which is deleted']
      : narrower
        ? ['the bucket', 'the rule leaves out a part: it stays for ever and costs']
        : ['neither', 'the rule deletes at a wrong place, and nothing at the right one'];
    say('prefix', found.prefix, wanted.prefix, stricter, risk);
  }
  for (const field of ['tags', 'largerThan', 'smallerThan'] as const) {
    const [before, after] = [found[field], wanted[field]];
    if (JSON.stringify(before ?? {}) === JSON.stringify(after ?? {})) continue;
    const count = (value: typeof before) =>
      typeof value === 'object' ? Object.keys(value).length : value === undefined ? 0 : 1;
    const wider = count(before) < count(after);
    const risk = wider
      ? 'the rule hits more than it should, which is deleted'
      : 'the rule hits other objects than it should';
    say(field, before, after, wider ? 'the manifest' : 'neither', risk);
  }
  for (const field of ['expireOn', 'expireDeleteMarkers', 'noncurrentKeep'] as const) {
    const [before, after] = [found[field], wanted[field]];
    if (before === after) continue;
    const [stricter, risk] = fieldRisk(field, before, after);
    say(field, before, after, stricter, risk);
  }
  for (const field of ['transitions', 'noncurrentTransitions'] as const) {
    if (JSON.stringify(found[field]) === JSON.stringify(wanted[field])) continue;
    say(field, found[field], wanted[field], 'neither', 'objects lie in another storage class than planned');
  }
  return drifts;
}

function fieldRisk(
  field: 'expireOn' | 'expireDeleteMarkers' | 'noncurrentKeep',
  before: string | boolean | number | undefined,
  after: string | boolean | number | undefined,
): [Stricter, string] {
  switch (field) {
    case 'expireOn': {
      const sooner = before !== undefined && (after === undefined || String(before) < String(after));
      return sooner
        ? ['the manifest', 'objects go too early, and are lost']
        : ['the bucket', 'objects go too late, or never'];
    }
    case 'expireDeleteMarkers':
      return before === true
        ? ['neither', 'delete markers that hide nothing go; nothing is lost']
        : ['neither', 'delete markers pile up and slow listings down'];
    case 'noncurrentKeep': {
      const fewer = Number(before ?? 0) < Number(after ?? 0);
      return fewer
        ? ['the manifest', 'old versions go that should stay']
        : ['the bucket', 'old versions stay and cost'];
    }
  }
}

function goneRisk(rule: LifecycleRule): string {
  if (!rule.enabled) return 'none: the manifest has it disabled';
  if (rule.expireDays !== undefined || rule.expireOn !== undefined)
    return 'objects stay for ever: they cost, and outlive what was promised';
  if (rule.noncurrentDays !== undefined) return 'old versions stay for ever and cost';
  if (rule.abortUploadsDays !== undefined) return 'unfinished uploads stay, invisible in listings, and cost';
  return 'what it did is no longer done';
}

function actionText(rule: LifecycleRule): string {
  const where = rule.prefix === '' ? 'everything' : rule.prefix;
  const parts = [
    ...(rule.expireDays === undefined ? [] : [`deletes ${where} after ${rule.expireDays} days`]),
    ...(rule.expireOn === undefined ? [] : [`deletes ${where} on ${rule.expireOn}`]),
    ...(rule.expireDeleteMarkers === true ? ['removes delete markers'] : []),
    ...(rule.noncurrentDays === undefined
      ? []
      : [`deletes old versions of ${where} after ${rule.noncurrentDays} days`]),
    ...(rule.abortUploadsDays === undefined ? [] : [`ends uploads to ${where} after ${rule.abortUploadsDays} days`]),
    ...(rule.transitions === undefined ? [] : [`moves ${where} to another storage class`]),
  ];
  return `${rule.enabled ? '' : '(disabled) '}${parts.join(', ')}`;
}

function policyDrifts(live: PolicyDocument | undefined, wanted: PolicyDocument | undefined): readonly Drift[] {
  const now = live === undefined ? [] : canonicalPolicy(live);
  const then = wanted === undefined ? [] : canonicalPolicy(wanted);
  const text = (statement: CanonicalStatement) => JSON.stringify(statement);
  const added = now.filter((statement) => !then.some((other) => text(other) === text(statement)));
  const gone = then.filter((statement) => !now.some((other) => text(other) === text(statement)));
  const drifts: Drift[] = [];
  for (const statement of gone) {
    const replaced = added.find(({ sid }) => sid !== undefined && sid === statement.sid);
    const denies = statement.effect === 'Deny';
    drifts.push({
      part: `policy statement ${statement.sid ?? statementText(statement)}`,
      found: replaced === undefined ? 'is missing' : statementText(replaced),
      expected: statementText(statement),
      ...(replaced === undefined
        ? denies
          ? { stricter: 'the manifest', risk: 'what it denied is open' }
          : { stricter: 'the bucket', risk: 'those it let in are shut out' }
        : replacedRisk(replaced, statement)),
    });
  }
  for (const statement of added) {
    if (statement.sid !== undefined && gone.some(({ sid }) => sid === statement.sid)) continue;
    const denies = statement.effect === 'Deny';
    const open = !denies && statement.principals.includes('* *') && statement.conditions.length === 0;
    drifts.push({
      part: `policy statement ${statement.sid ?? statementText(statement)}`,
      found: statementText(statement),
      expected: 'no such statement',
      stricter: denies ? 'the bucket' : 'the manifest',
      risk: denies
        ? 'somebody is shut out who should not be'
        : open
          ? 'everybody in the world is let in, without a key'
          : 'somebody is let in who should not be',
    });
  }
  return drifts;
}

/** Both have the id; what changed within decides. */
function replacedRisk(now: CanonicalStatement, then: CanonicalStatement): Pick<Drift, 'stricter' | 'risk'> {
  if (now.effect !== then.effect) {
    return now.effect === 'Allow'
      ? { stricter: 'the manifest', risk: 'what was denied is now allowed' }
      : { stricter: 'the bucket', risk: 'what was allowed is now denied' };
  }
  const grows = (a: readonly string[], b: readonly string[]) => a.some((word) => !b.includes(word));
  const wider =
    grows(now.principals, then.principals) ||
    grows(now.actions, then.actions) ||
    grows(now.resources, then.resources) ||
    grows(then.conditions, now.conditions);
  const narrower =
    grows(then.principals, now.principals) ||
    grows(then.actions, now.actions) ||
    grows(then.resources, now.resources) ||
    grows(now.conditions, then.conditions);
  const allows = now.effect === 'Allow';
  if (wider && narrower)
    return { stricter: 'neither', risk: 'it speaks of others, or of something else, than it should' };
  const open = wider === allows;
  return open
    ? { stricter: 'the manifest', risk: allows ? 'more is let in than should be' : 'less is denied than should be' }
    : { stricter: 'the bucket', risk: allows ? 'less is let in than should be' : 'more is denied than should be' };
}

function statementText({
  effect,
  principals,
  notPrincipals,
  actions,
  notActions,
  resources,
  notResources,
  conditions,
}: CanonicalStatement): string {
  const who = notPrincipals.length > 0 ? `everybody but ${notPrincipals.join(', ')}` : principals.join(', ');
  const what = notActions.length > 0 ? `all but ${notActions.join(', ')}` : actions.join(', ');
  const where = notResources.length > 0 ? `all but ${notResources.join(', ')}` : resources.join(', ');
  const when = conditions.length === 0 ? '' : ` if ${conditions.join(' and ')}`;
  return `${effect} ${who.replaceAll('* *', 'everybody')}: ${what} on ${where}${when}`;
}

function lineDrifts(change: AttributeChange<'publicAccessBlock' | 'encryption' | 'tags' | 'cors'>): readonly Drift[] {
  return change.lines.map(({ path, before, after }) => ({
    part: `${kebab(change.attribute).replaceAll('-', ' ')}${path === '' ? '' : ` ${path}`}`,
    found: before ?? 'nothing',
    expected: after ?? 'nothing',
    ...lineRisk(change.attribute, before, after),
  }));
}

function lineRisk(
  attribute: 'publicAccessBlock' | 'encryption' | 'tags' | 'cors',
  before: string | undefined,
  after: string | undefined,
): Pick<Drift, 'stricter' | 'risk'> {
  switch (attribute) {
    case 'publicAccessBlock':
      return before === 'true'
        ? { stricter: 'the bucket', risk: 'what should be public is not' }
        : { stricter: 'the manifest', risk: 'a public policy or ACL would take effect' };
    case 'encryption':
      return before === undefined
        ? { stricter: 'the manifest', risk: 'new objects are not encrypted as promised' }
        : { stricter: 'neither', risk: 'new objects are encrypted otherwise than planned' };
    case 'tags':
      return { stricter: 'neither', risk: 'bills and policies that go by tags take it for something else' };
    case 'cors': {
      const open = before?.includes('*') === true || (before?.length ?? 0) > (after?.length ?? 0);
      return open
        ? { stricter: 'the manifest', risk: 'web pages may use it that should not' }
        : { stricter: 'the bucket', risk: 'web pages that should use it are refused by browsers' };
    }
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' ? (value === '' ? 'empty' : value) : JSON.stringify(value);
}
