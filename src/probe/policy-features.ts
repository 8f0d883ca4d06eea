import { setTimeout as sleep } from 'node:timers/promises';
import type { PolicyDocument } from '../bucket/index.ts';
import { described, no, partial, refused, refusedByError, succeeded, unmeasured, type Verdict, yes } from './model.ts';
import type { Scratch } from './scratch.ts';

/** Seconds between two looks at whether a policy holds yet. */
const PAUSE_MS = 1_000;

/**
 * Whether a policy does what it says, not whether it is accepted: RADOS Gateways accept what matches nobody. It never says
 * anything of the acting key's right to change the policy or delete the bucket.
 */
export async function bucketPolicy(scratch: Scratch, bucket: string): Promise<Verdict> {
  if (scratch.profile.policy.implicitDeny === true) {
    return unmeasured('a policy here shuts out everybody it does not name, the probe too');
  }
  for (const key of ['open/x', 'closed/x']) {
    const put = await scratch.send({ method: 'PUT', bucket, key, query: '', body: 'x' });
    if (!succeeded(put)) return refused(put);
  }
  try {
    await scratch.configuration.write(bucket, 'policy', statement('Allow', bucket));
    const allowed = await until(scratch, async () => (await read(scratch, bucket, 'open/x', true)).status === 200);
    const other = await read(scratch, bucket, 'closed/x', true);
    if (succeeded(other)) return partial('an Allow for one prefix opens the others too');
    if (allowed) return yes('an Allow for one prefix opens it to everybody, and no other');
  } catch (error) {
    const verdict = refusedByError(error);
    // A provider may refuse public policies; it then takes one that denies.
    if (verdict.state === 'no') return verdict;
  }
  try {
    await scratch.configuration.write(bucket, 'policy', statement('Deny', bucket));
  } catch (error) {
    return refusedByError(error);
  }
  const denied = await until(scratch, async () => (await read(scratch, bucket, 'open/x', false)).status === 403);
  if (!denied) return no('accepted, and without any effect');
  const other = await read(scratch, bucket, 'closed/x', false);
  return succeeded(other)
    ? yes('a Deny for one prefix closes it, and no other')
    : partial(`a Deny for one prefix closes the others too (${described(other)})`);
}

/** Whether it refuses a public policy, or where there are no policies, whether it is kept. */
export async function publicAccessBlock(scratch: Scratch, policies: Verdict): Promise<Verdict> {
  const bucket = await scratch.make();
  const all = { blockPublicAcls: true, ignorePublicAcls: true, blockPublicPolicy: true, restrictPublicBuckets: true };
  try {
    await scratch.configuration.write(bucket, 'publicAccessBlock', all);
    const back = await scratch.configuration.read(bucket, 'publicAccessBlock');
    if (back?.blockPublicPolicy !== true) return no('accepted with a 200, and not kept');
  } catch (error) {
    return refusedByError(error);
  }
  if (policies.state !== 'yes') return partial('kept; its effect was not measured, for want of a policy');
  const blocked = await until(scratch, async () => {
    try {
      await scratch.configuration.write(bucket, 'policy', statement('Allow', bucket));
      return false;
    } catch (error) {
      return refusedByError(error).state !== 'yes';
    }
  });
  return blocked ? yes('kept; a public policy is then refused') : partial('kept, but a public policy is accepted');
}

function statement(effect: 'Allow' | 'Deny', bucket: string): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'probe',
        Effect: effect,
        Principal: '*',
        Action: 's3:GetObject',
        Resource: `arn:aws:s3:::${bucket}/open/*`,
      },
    ],
  };
}

const read = (scratch: Scratch, bucket: string, key: string, anonymous: boolean) =>
  scratch.send({ method: 'GET', bucket, key, query: '', anonymous });

/** Looks until it holds, or as long as policies take to settle here. */
async function until(scratch: Scratch, holds: () => Promise<boolean>): Promise<boolean> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    if (await holds()) return true;
    if (waited >= scratch.profile.policy.settleMs * 2) return false;
    await sleep(PAUSE_MS);
  }
}
