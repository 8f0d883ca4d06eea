import { createClient, type ObjectClient } from '../../client/index.ts';
import type { Finding } from '../../core/finding.ts';
import type { BucketTarget } from '../../settings/index.ts';
import { checkBucket } from '../../verify/access.ts';
import { Canaries, checkCanary } from '../../verify/canary.ts';
import { checkReachable } from '../../verify/network.ts';
import type { VerifyInput } from './input.ts';

/** What is known about the store when a program's objects are looked for. */
export interface StoreState {
  readonly client: ObjectClient;
  /** Why looking for objects is pointless, by bucket and prefix; undefined: it is not. */
  readonly broken: (target: BucketTarget) => string | undefined;
}

/**
 * Looks at the bucket of each program and writes there with the keys of the settings, which are those that the programs
 * should have: what fails here is what will fail there. The caller closes the client.
 */
export async function* examineStore(input: VerifyInput): AsyncGenerator<Finding, StoreState | undefined> {
  const { connection } = input;
  if (connection === undefined) return undefined;
  const client = createClient(connection, { idleMs: 10_000, attempts: 2 });
  const canaries = new Canaries();
  const problems = new Map<string, string>();
  const targets = [input.buckets.loki, input.buckets.tempo];
  const reachable = await checkReachable(connection.endpoint);
  yield reachable;
  for (const { bucket, prefix } of targets) {
    const name = `${bucket}/${prefix}`;
    if (problems.has(name)) continue;
    if (reachable.status === 'fail') {
      problems.set(name, 'the S3 endpoint cannot be reached');
      continue;
    }
    const findings: Finding[] = [];
    for (const finding of await checkBucket(client, bucket)) findings.push(finding);
    yield* findings;
    if (!findings.some(({ status }) => status === 'fail')) {
      for await (const finding of checkCanary(client, canaries, { bucket, prefix })) {
        findings.push(finding);
        if (finding.status !== 'ok') yield finding;
      }
    }
    const failed = findings.find(({ status }) => status === 'fail');
    if (failed === undefined) {
      yield { id: 'store-writable', status: 'ok', subject: name, found: 'the keys may write, read, list and delete' };
    } else {
      problems.set(name, failed.found);
    }
  }
  yield* await canaries.cleanUp(client);
  return { client, broken: ({ bucket, prefix }) => problems.get(`${bucket}/${prefix}`) };
}
