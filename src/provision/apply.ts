import { setTimeout as sleep } from 'node:timers/promises';
import type { Attribute, BucketConfiguration } from '../bucket/index.ts';
import { ClientError } from '../client/errors.ts';
import type { BucketClient } from '../client/index.ts';
import type { BucketwrightError } from '../core/errors.ts';
import type { ProviderProfile } from '../providers/index.ts';
import { writePolicySafely } from './apply-policy.ts';
import { type PlanProblem, PlanProblemsError, ProvisionError } from './errors.ts';
import { diffOf, meaningOf } from './meaning.ts';
import type { AttributeChange, BucketPlan, Plan } from './plan.ts';

/** What became of one step; a step is the bucket itself or one attribute. */
export interface ApplyStep {
  readonly bucket: string;
  readonly step: 'bucket' | Attribute;
  readonly outcome: 'created' | 'written' | 'removed' | 'failed' | 'not-tried';
  readonly error?: BucketwrightError;
}

export interface ApplyOptions {
  readonly profile: ProviderProfile;
  /** A line for people while something takes long. */
  onWaiting?(text: string): void;
}

/**
 * Carries out a plan, bucket by bucket (creation is throttled hard by some) and in order within each. Every attribute is
 * read back and compared in meaning. A failure ends its bucket, not the others, unless nothing can work any more;
 * whatever was not done is in the next plan. Nothing is ever deleted that the plan does not say.
 */
export async function* applyPlan(client: BucketClient, plan: Plan, options: ApplyOptions): AsyncGenerator<ApplyStep> {
  let fatal = false;
  for (const bucket of plan.buckets) {
    if (bucket.action === 'none') continue;
    let failed: boolean = fatal;
    for await (const step of stepsOf(client, bucket, options, () => failed)) {
      yield step;
      if (step.outcome !== 'failed') continue;
      failed = true;
      fatal ||= step.error instanceof ClientError && endsEverything.has(step.error.code);
    }
  }
}

const endsEverything: ReadonlySet<ClientError['code']> = new Set([
  'unreachable',
  'tls',
  'bad-credentials',
  'clock-skew',
]);

async function* stepsOf(
  client: BucketClient,
  bucket: BucketPlan,
  options: ApplyOptions,
  isOver: () => boolean,
): AsyncGenerator<ApplyStep> {
  const { name } = bucket;
  if (bucket.action === 'create') {
    if (isOver()) yield { bucket: name, step: 'bucket', outcome: 'not-tried' };
    else yield await attempt(name, 'bucket', () => create(client, bucket, options));
  }
  for (const change of bucket.changes) {
    const { attribute: step } = change;
    if (isOver()) yield { bucket: name, step, outcome: 'not-tried' };
    else yield await attempt(name, step, () => carryOut(client, bucket, change, options));
  }
}

async function attempt(
  bucket: string,
  step: ApplyStep['step'],
  run: () => Promise<ApplyStep['outcome']>,
): Promise<ApplyStep> {
  try {
    return { bucket, step, outcome: await run() };
  } catch (error) {
    if (!(error instanceof ClientError || error instanceof ProvisionError)) throw error;
    return { bucket, step, outcome: 'failed', error };
  }
}

async function create(client: BucketClient, bucket: BucketPlan, options: ApplyOptions): Promise<'created'> {
  try {
    await client.create(bucket.name, { objectLock: bucket.withObjectLock });
  } catch (error) {
    // An answer that was lost, or a neighbour that was faster with the same account: it is ours all the same.
    if (!(error instanceof ClientError) || error.code !== 'already-owned') throw error;
  }
  // Right after its making a bucket may be unknown to another front end.
  await onceSettled(
    () => client.location(bucket.name),
    Math.max(options.profile.policy.settleMs, 5_000),
    () => options.onWaiting?.(`${bucket.name}: waiting until it is known everywhere`),
  );
  return 'created';
}

/** Runs again what is refused, or finds no bucket, until the time is over: front ends learn of changes one by one. */
async function onceSettled<T>(run: () => Promise<T>, forMs: number, onWaiting: () => void): Promise<T> {
  const deadline = Date.now() + forMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      const settling = error instanceof ClientError && (error.code === 'no-such-bucket' || error.code === 'denied');
      const left = deadline - Date.now();
      if (!settling || left <= 0) throw error;
      if (tries === 1) onWaiting();
      await sleep(Math.min(left, 500 * tries));
    }
  }
}

async function carryOut<A extends Attribute>(
  client: BucketClient,
  bucket: BucketPlan,
  change: AttributeChange<A>,
  options: ApplyOptions,
): Promise<'written' | 'removed'> {
  const { attribute } = change;
  const { name } = bucket;
  const after: BucketConfiguration[A] | undefined = change.after;
  const before: BucketConfiguration[A] | undefined = change.before;
  const { policy } = options.profile;
  const waiting = () => options.onWaiting?.(`${name}: waiting until ${attribute} may be read and written`);
  if (bucket.action === 'create' && after !== undefined) {
    // Object lock brings versioning with it; what is as wanted is not written again.
    const fresh = await onceSettled(() => client.read(name, attribute), policy.settleMs, waiting);
    if (meaningOf(attribute, fresh) === meaningOf(attribute, after)) return 'written';
  }
  await onceSettled(() => put(client, name, attribute, after, options), policy.settleMs, waiting);
  const kept = await readBack(client, name, attribute, after, policy.settleMs, options);
  if (kept === undefined) return after === undefined ? 'removed' : 'written';
  // A rule that lost its limits deletes more than asked: what was there before is the lesser evil.
  if (attribute === 'lifecycle') await put(client, name, attribute, before, options);
  const undone = attribute === 'lifecycle' ? '; the former rules are in force again' : '';
  throw new ProvisionError('not-kept', `${name}: ${attribute} was written, but reads back otherwise: ${kept}`, {
    subject: name,
    advice: `the provider changes or drops this: leave it out, or write it as it reads back${undone}`,
  });
}

async function put<A extends Attribute>(
  client: BucketClient,
  name: string,
  attribute: A,
  value: BucketConfiguration[A] | undefined,
  { profile, onWaiting }: ApplyOptions,
): Promise<void> {
  if (value === undefined) await client.clear(name, attribute);
  else if (attribute === 'policy' && typeof value === 'object' && 'Statement' in value) {
    await writePolicySafely(client, name, value, profile.policy, onWaiting);
  } else await client.write(name, attribute, value);
}

/** Undefined: it reads back the same, at once or after settling. Otherwise the difference in words. */
async function readBack<A extends Attribute>(
  client: BucketClient,
  name: string,
  attribute: A,
  after: BucketConfiguration[A] | undefined,
  settleMs: number,
  options: ApplyOptions,
): Promise<string | undefined> {
  const deadline = Date.now() + Math.max(settleMs, 1_000);
  for (let tries = 1; ; tries += 1) {
    const found = await onceSettled(
      () => client.read(name, attribute),
      deadline - Date.now(),
      () => options.onWaiting?.(`${name}: waiting until ${attribute} is settled`),
    );
    if (meaningOf(attribute, found) === meaningOf(attribute, after)) return undefined;
    const left = deadline - Date.now();
    if (left <= 0) {
      const lines = diffOf(attribute, after, found).map(
        ({ path, before, after: now }) => `${path} ${before ?? 'absent'} became ${now ?? 'absent'}`,
      );
      return lines.slice(0, 3).join(', ');
    }
    if (tries === 1 && settleMs > 0) options.onWaiting?.(`${name}: waiting until ${attribute} is settled`);
    await sleep(Math.min(left, 250 * tries));
  }
}

/** @throws PlanProblemsError when there are any */
export function refuseProblems(problems: readonly PlanProblem[]): void {
  if (problems.length > 0) throw new PlanProblemsError(problems);
}
