import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ProvisionError } from './errors.ts';
import { meaningOf, stable } from './meaning.ts';
import type { Plan } from './plan.ts';
import type { Planned } from './session.ts';

const FORMAT = 'bucketwright-plan/1';

const savedChange = z.strictObject({
  attribute: z.string(),
  /** Meanings, as text; empty: nothing is configured. */
  before: z.string(),
  after: z.string(),
});
const savedBucket = z.strictObject({
  name: z.string(),
  action: z.enum(['create', 'update']),
  changes: z.array(savedChange),
});
const savedPlan = z.strictObject({
  format: z.literal(FORMAT),
  saved: z.iso.datetime(),
  endpoint: z.string(),
  environment: z.string().nullable(),
  buckets: z.array(savedBucket),
  digest: z.string(),
});
export type SavedPlan = z.output<typeof savedPlan>;

export interface PlanContext {
  /** The endpoint's URL. */
  readonly endpoint: string;
  readonly environment: string | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
}

/** The text of a file that `apply` takes. It holds what each changed attribute was and will be, and no secret. */
export function savePlan(plan: Plan, { endpoint, environment, now }: PlanContext): string {
  const content = {
    format: FORMAT,
    saved: new Date(now).toISOString(),
    endpoint,
    environment: environment ?? null,
    buckets: bucketsOf(plan),
  } as const;
  return `${JSON.stringify({ ...content, digest: digestOf(content) }, null, 2)}\n`;
}

function bucketsOf(plan: Plan): z.output<typeof savedBucket>[] {
  return plan.buckets.flatMap(({ name, action, changes }) =>
    action === 'none'
      ? []
      : [
          {
            name,
            action,
            changes: changes.map(({ attribute, before, after }) => ({
              attribute,
              before: meaningOf(attribute, before),
              after: meaningOf(attribute, after),
            })),
          },
        ],
  );
}

function digestOf(content: Omit<SavedPlan, 'digest'>): string {
  return createHash('sha256').update(stable(content)).digest('hex');
}

/** @throws ProvisionError `plan-file` when it is no plan or was changed since it was saved */
export function parseSavedPlan(path: string, text: string): SavedPlan {
  const refuse = (problem: string, cause?: unknown) =>
    new ProvisionError('plan-file', `${path} ${problem}`, {
      subject: path,
      advice: 'make a new one: bucketwright provision plan --out FILE',
      cause,
    });
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch (cause) {
    throw refuse('is no plan: it is no JSON', cause);
  }
  const parsed = savedPlan.safeParse(plain);
  if (!parsed.success) throw refuse('is no plan of this version', parsed.error);
  const { digest, ...content } = parsed.data;
  if (digestOf(content) !== digest) throw refuse('was edited after it was saved');
  return parsed.data;
}

/**
 * What of a saved plan is still to be done. The plan is made anew from the manifest and the live state; nothing is done
 * that the file does not say and nothing that it says is left out, save what an earlier, interrupted run has done.
 * @throws ProvisionError `world-moved`
 */
export function remainingOf(
  saved: SavedPlan,
  now: Planned,
  context: Pick<PlanContext, 'endpoint' | 'environment'>,
): Plan {
  const moved = (what: string) =>
    new ProvisionError('world-moved', `the plan no longer fits: ${what}`, {
      subject: saved.endpoint,
      advice: 'nothing was changed; look at a new plan: bucketwright provision plan',
    });
  if (saved.endpoint !== context.endpoint) throw moved(`it was made for ${saved.endpoint}`);
  if (saved.environment !== (context.environment ?? null)) {
    throw moved(
      `it was made for ${saved.environment === null ? 'no environment' : `environment ${saved.environment}`}`,
    );
  }
  const fresh = bucketsOf(now.plan);
  for (const bucket of fresh) {
    const then = saved.buckets.find(({ name }) => name === bucket.name);
    if (then === undefined) throw moved(`${bucket.name} needs changes that it does not have`);
    if (bucket.action === 'create' && then.action !== 'create') throw moved(`${bucket.name} is gone`);
    for (const change of bucket.changes) {
      const planned = then.changes.find(({ attribute }) => attribute === change.attribute);
      if (planned === undefined) throw moved(`${change.attribute} of ${bucket.name} changed since`);
      // A bucket that an earlier run has made begins with what its making brings: no versions, or those of object lock.
      const begun = then.action === 'create' && bucket.action === 'update';
      // Looked at first: what others wrote is part of what is wanted, as it stays.
      if (planned.before !== change.before && !begun)
        throw moved(`${change.attribute} of ${bucket.name} changed since`);
      if (planned.after !== change.after) throw moved(`${change.attribute} of ${bucket.name} is now wanted otherwise`);
    }
  }
  for (const then of saved.buckets) {
    const live = now.live.find(({ name }) => name === then.name);
    if (live === undefined) throw moved(`${then.name} is no longer wanted`);
    const still = fresh.find(({ name }) => name === then.name);
    for (const planned of then.changes) {
      if (still?.changes.some(({ attribute }) => attribute === planned.attribute) === true) continue;
      if (isMeaning(live.configuration, planned.attribute, planned.after)) continue;
      throw moved(`${planned.attribute} of ${then.name} changed since`);
    }
  }
  return now.plan;
}

function isMeaning(
  configuration: Planned['live'][number]['configuration'],
  attribute: string,
  meaning: string,
): boolean {
  switch (attribute) {
    case 'versioning':
    case 'lifecycle':
    case 'policy':
    case 'cors':
    case 'objectLock':
    case 'tags':
    case 'encryption':
    case 'publicAccessBlock':
      return meaningOf(attribute, configuration[attribute]) === meaning;
    default:
      return false;
  }
}
