import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalPolicy, type Json, listOf, type PolicyDocument } from '../bucket/index.ts';
import { ClientError } from '../client/errors.ts';
import type { BucketClient } from '../client/index.ts';
import type { PolicyDialect } from '../providers/index.ts';
import { ProvisionError } from './errors.ts';
import { deniesRepair } from './policy-guard.ts';

/** What the trial denies in place of everything: reading where the bucket is harms nobody and every S3 has it. */
const HARMLESS = 's3:GetBucketLocation';

/**
 * The policy's Deny statements that could shut us out, reduced to one harmless action; undefined: it has none. Whoever is
 * denied the harmless action by the trial would have been denied to repair the policy by the real one.
 * @param former stays in force beside it, so that what it denies is not open in the meantime
 */
export function trialPolicy(
  policy: PolicyDocument,
  bucket: string,
  former?: PolicyDocument,
): PolicyDocument | undefined {
  const trials: Json[] = [];
  for (const statement of listOf(policy.Statement)) {
    const [canonical] = canonicalPolicy({ Statement: [statement] });
    if (canonical === undefined || !deniesRepair(canonical, bucket)) continue;
    if (typeof statement !== 'object' || statement === null || isList(statement)) continue;
    const { NotAction: _, NotResource: __, ...rest } = statement;
    const Sid = `BucketwrightTrial${trials.length + 1}`;
    trials.push({ ...rest, Sid, Action: HARMLESS, Resource: `arn:aws:s3:::${bucket}` });
  }
  if (trials.length === 0) return undefined;
  return { Version: policy.Version ?? '2012-10-17', Statement: [...listOf(former?.Statement), ...trials] };
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/**
 * Writes a policy in two steps. First the former one with a trial that denies the same people one harmless action: only when the acting key
 * still passes, for as long as the provider takes to settle, the real policy follows. A wrong principal in a Deny
 * otherwise shuts everybody out for good on some providers.
 * @throws ProvisionError `lockout`, after the former policy was put back
 */
export async function writePolicySafely(
  client: BucketClient,
  bucket: string,
  policy: PolicyDocument,
  dialect: Pick<PolicyDialect, 'settleMs'>,
  onWaiting: (text: string) => void = () => undefined,
): Promise<void> {
  const former = trialPolicy(policy, bucket) === undefined ? undefined : await client.read(bucket, 'policy');
  const trial = trialPolicy(policy, bucket, former);
  if (trial !== undefined) {
    await client.write(bucket, 'policy', trial);
    const restore = () =>
      former === undefined ? client.clear(bucket, 'policy') : client.write(bucket, 'policy', former);
    if (dialect.settleMs > 0) {
      onWaiting(`${bucket}: a trial of the policy settles for ${Math.round(dialect.settleMs / 1000)} s`);
    }
    if (!(await staysIn(client, bucket, dialect.settleMs))) {
      await restore();
      throw new ProvisionError('lockout', `${bucket}: the policy would shut out the key that provisions`, {
        subject: bucket,
        advice: 'name its principal in NotPrincipal, or not in the Deny; the former policy is in force again',
      });
    }
  }
  await client.write(bucket, 'policy', policy);
}

/** Whether the key passes now and until the time is over. One refusal is enough. */
async function staysIn(client: BucketClient, bucket: string, settleMs: number): Promise<boolean> {
  const deadline = Date.now() + settleMs;
  for (;;) {
    try {
      await client.location(bucket);
    } catch (error) {
      if (error instanceof ClientError && error.code === 'denied') return false;
      throw error;
    }
    const left = deadline - Date.now();
    if (left <= 0) return true;
    await sleep(Math.min(5_000, left));
  }
}
