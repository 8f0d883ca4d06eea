import { ClientError } from '../client/errors.ts';
import type { BucketClient } from '../client/index.ts';
import type { Connection } from '../providers/index.ts';
import type { Settings } from '../settings/index.ts';
import { type LiveBucket, readLive } from './actual.ts';
import { type DesiredBucket, desiredBuckets } from './desired.ts';
import type { PlanProblem } from './errors.ts';
import { feasibilityProblems } from './feasible.ts';
import { makePlan, type Plan } from './plan.ts';

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
  const infeasible = desired.flatMap((bucket) => feasibilityProblems(bucket, provider, keyId));
  const owned = await ownedBuckets(client);
  const live = await readLive(
    client,
    desired.map(({ name }) => name),
  );
  const { plan, problems } = makePlan({ desired, live, owned, profile: provider });
  return { desired, live, plan, problems: [...infeasible, ...problems] };
}

/** The account's buckets; undefined where the key may not list them, which is no failure. */
async function ownedBuckets(client: BucketClient): Promise<readonly string[] | undefined> {
  try {
    return await client.list();
  } catch (error) {
    if (error instanceof ClientError && (error.code === 'denied' || error.code === 'not-implemented')) return undefined;
    throw error;
  }
}
