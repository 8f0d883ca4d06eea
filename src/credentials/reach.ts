import { ClientError, type ObjectClient } from '../client/index.ts';
import { BucketwrightError } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { ProviderProfile } from '../providers/index.ts';

/** Buckets that are tried one by one; beyond that they are only counted. */
const MAX_TRIED = 50;

/**
 * Which buckets the key reaches beside those it needs, by reading: one page of each listing. Whether it could write there
 * is not tried.
 * @param needed by name
 */
export async function checkReach(
  client: ObjectClient,
  endpoint: string,
  needed: ReadonlySet<string>,
  profile: ProviderProfile,
): Promise<readonly Finding[]> {
  let seen: readonly string[];
  try {
    seen = (await client.listBuckets()).map(({ name }) => name);
  } catch (error) {
    if (error instanceof ClientError && error.code === 'denied') {
      return [{ id: 'key-reach', subject: endpoint, status: 'ok', found: 'the key may not even list buckets' }];
    }
    return [failure(endpoint, error)];
  }
  const others = seen.filter((name) => !needed.has(name));
  const findings: Finding[] = [];
  for (const bucket of others.slice(0, MAX_TRIED)) {
    if (!(await readable(client, bucket))) continue;
    findings.push({
      id: 'key-reach',
      subject: bucket,
      status: 'warn',
      found: 'the key can list its objects',
      expected: 'only the buckets that the configuration names',
      why: 'whoever gets hold of this key gets that bucket too',
      advice: narrowing(profile),
    });
  }
  if (others.length > MAX_TRIED) {
    const found = `${others.length - MAX_TRIED} more buckets were not tried`;
    findings.push({ id: 'key-reach', subject: endpoint, status: 'skip', found });
  }
  if (findings.length > 0) return findings;
  const found = others.length === 0 ? 'it sees no other bucket' : `it sees ${others.length} others and may read none`;
  return [{ id: 'key-reach', subject: endpoint, status: 'ok', found }];
}

async function readable(client: ObjectClient, bucket: string): Promise<boolean> {
  try {
    for await (const _ of client.list({ bucket, pageSize: 1 })) break;
    return true;
  } catch (error) {
    if (error instanceof ClientError) return false;
    throw error;
  }
}

function failure(subject: string, error: unknown): Finding {
  const code = error instanceof ClientError ? error.code : undefined;
  const unreachable = code === 'unreachable' || code === 'tls';
  return {
    id: unreachable ? 'reachable' : code === 'bad-credentials' ? 'credentials' : 'key-reach',
    subject,
    status: 'fail',
    found: error instanceof Error ? error.message : 'an unknown failure',
    advice: error instanceof BucketwrightError ? error.advice : undefined,
  };
}

/** How a key is kept to its buckets here. */
function narrowing(profile: ProviderProfile): string {
  const { policy, features } = profile;
  if (policy.principalEndsWithKeyId === true) {
    return 'every key of a project reaches all its buckets: keep the others in another project, or Deny this key there by a bucket policy';
  }
  if (profile.name === 'embedded') return 'give the service a user of its own (`bucketwright user add` with a policy)';
  return features['bucket-policy'] === 'no'
    ? `take a key that is limited to its buckets (${profile.notes['bucket-policy'] ?? 'as the provider offers it'})`
    : 'give the key a policy for its buckets, or Deny it in the others by a bucket policy';
}
