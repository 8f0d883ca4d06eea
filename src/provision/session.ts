import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError } from '../client/errors.ts';
import type { Account, BucketClient } from '../client/index.ts';
import type { Connection } from '../providers/index.ts';
import type { Settings } from '../settings/index.ts';
import { type LiveBucket, readLive } from './actual.ts';
import { type DesiredBucket, desiredBuckets } from './desired.ts';
import type { PlanProblem } from './errors.ts';
import { feasibilityProblems } from './feasible.ts';
import { isEmptyPlan, makePlan, type Plan } from './plan.ts';

/** The desired state, the live one and what follows. */
export interface Planned {
  readonly desired: readonly DesiredBucket[];
  readonly live: readonly LiveBucket[];
  readonly plan: Plan;
  /** All that keeps it from being carried out. */
  readonly problems: readonly PlanProblem[];
}

/**
 * Looks at the live state and plans. Reads only.
 * @throws ClientError when the endpoint cannot be asked at all
 */
export async function planProvisioning(
  settings: Settings,
  connection: Connection,
  client: BucketClient,
): Promise<Planned> {
  const { provider } = connection;
  const desired = desiredBuckets(settings, provider);
  const keyId = connection.credentials.accessKeyId.reveal();
  const account = await accountOf(client);
  const acting = { keyId, project: account?.owner };
  const infeasible = desired.flatMap((bucket) => feasibilityProblems(bucket, provider, acting));
  const owned = account?.buckets;
  const live = await readLive(
    client,
    desired.map(({ name }) => name),
  );
  const { plan, problems } = makePlan({ desired, live, owned, profile: provider });
  return { desired, live, plan, problems: [...infeasible, ...problems] };
}

export interface SettlingOptions {
  onWaiting?(text: string): void;
}

/**
 * The same, for `apply`: where new keys are refused for some minutes what they will be allowed, a refusal is asked again
 * until then before it counts.
 */
export async function planOncePermitted(
  settings: Settings,
  connection: Connection,
  client: BucketClient,
  { onWaiting }: SettlingOptions = {},
): Promise<Planned> {
  const { keysSettleMs = 0, title } = connection.provider;
  const deadline = Date.now() + keysSettleMs;
  for (let tries = 1; ; tries += 1) {
    const planned = await planProvisioning(settings, connection, client);
    const left = deadline - Date.now();
    // A name that the key may not look at yet looks as if it were somebody else's.
    const refused = planned.problems.filter(({ kind }) => kind === 'denied' || kind === 'taken');
    // What is wrong besides does not settle.
    if (refused.length === 0 || refused.length < planned.problems.length || left <= 0) return planned;
    if (tries === 1) {
      const minutes = Math.ceil(keysSettleMs / 60_000);
      onWaiting?.(
        `the key is refused (${refused[0]?.bucket}); a new one may be on ${title}: asking again for ${minutes} min`,
      );
    }
    await sleep(Math.min(left, keysSettleMs / 20));
  }
}

/**
 * The same, for `check`: where front ends lag behind each other, drift counts when it is there at a second look.
 */
export async function planTwice(settings: Settings, connection: Connection, client: BucketClient): Promise<Planned> {
  const first = await planProvisioning(settings, connection, client);
  const { settleMs } = connection.provider.policy;
  if (settleMs === 0 || isEmptyPlan(first.plan)) return first;
  await sleep(Math.min(settleMs, SECOND_LOOK_MS));
  return planProvisioning(settings, connection, client);
}

/** An answer that was wrong once (Hetzner's GetObjectLockConfiguration, in a published runbook) was right the next time. */
const SECOND_LOOK_MS = 5_000;

/** Undefined where the key may not list the account's buckets, which is no failure. */
async function accountOf(client: BucketClient): Promise<Account | undefined> {
  try {
    return await client.account();
  } catch (error) {
    if (error instanceof ClientError && (error.code === 'denied' || error.code === 'not-implemented')) return undefined;
    throw error;
  }
}
