import { setTimeout as sleep } from 'node:timers/promises';
import { type PolicyDocument, samePolicy } from '../bucket/index.ts';
import type { BucketClient } from '../client/index.ts';
import type { PolicyDialect } from '../providers/index.ts';
import { ProvisionError, writePolicySafely } from '../provision/index.ts';
import { type NewKey, UserError, type UserStore } from '../users/index.ts';
import { policyText, TENANT_POLICY } from './plan.ts';
import type { TenantChange, TenantPlan, TenantQuota } from './plan-model.ts';

export interface ApplyTenantsOptions {
  readonly client: BucketClient;
  readonly dialect: PolicyDialect;
  /** Of our own server; undefined where tenants are no users of it. */
  readonly users: UserStore | undefined;
  onWaiting?(text: string): void;
}

export interface TenantStep {
  readonly change: TenantChange;
  /** The first key of a user who was added: to be handed out, and nowhere else. */
  readonly key: NewKey | undefined;
}

/**
 * Carries a plan out, one change after the other; run again, what is left is planned anew. Policies are written in two
 * steps that prove that the acting key stays in, and are read back.
 * @throws ClientError; ProvisionError `lockout`, `not-kept`; UserError
 */
export async function* applyTenants(plan: TenantPlan, options: ApplyTenantsOptions): AsyncGenerator<TenantStep> {
  for (const change of plan.changes) yield { change, key: await carryOut(change, options) };
}

async function carryOut(change: TenantChange, options: ApplyTenantsOptions): Promise<NewKey | undefined> {
  const { client, dialect } = options;
  switch (change.kind) {
    case 'create-bucket':
      await client.create(change.bucket);
      return undefined;
    case 'set-bucket-policy':
      await setPolicy(client, change.bucket, change.after, dialect, options.onWaiting?.bind(options));
      return undefined;
    case 'add-user':
      return usersOf(options).add({
        name: change.tenant,
        policies: { [TENANT_POLICY]: policyText(change.policy) },
        quota: copyOf(change.quota),
      });
    case 'set-user-quota':
      await usersOf(options).setQuota(change.tenant, copyOf(change.quota));
      return undefined;
    case 'set-user-policy':
      await usersOf(options).setPolicy(change.tenant, TENANT_POLICY, policyText(change.policy));
      return undefined;
    case 'suspend-user':
      await usersOf(options).setEnabled(change.tenant, false);
      return undefined;
    case 'resume-user':
      await usersOf(options).setEnabled(change.tenant, true);
      return undefined;
    case 'remove-user':
      await usersOf(options).remove(change.tenant);
      return undefined;
  }
}

const copyOf = (quota: TenantQuota | undefined) =>
  quota === undefined ? undefined : { bytes: quota.bytes, buckets: [...quota.buckets] };

function usersOf({ users }: ApplyTenantsOptions): UserStore {
  if (users !== undefined) return users;
  throw new UserError('invalid', 'there is no data directory with users', {
    advice: 'run the command where BUCKETWRIGHT_DATA of the server is',
  });
}

async function setPolicy(
  client: BucketClient,
  bucket: string,
  policy: PolicyDocument | undefined,
  dialect: PolicyDialect,
  onWaiting: ((text: string) => void) | undefined,
): Promise<void> {
  if (policy === undefined) await client.clear(bucket, 'policy');
  else await writePolicySafely(client, bucket, policy, dialect, onWaiting);
  const deadline = Date.now() + dialect.settleMs;
  for (;;) {
    const read = await client.read(bucket, 'policy');
    if (read === undefined ? policy === undefined : policy !== undefined && samePolicy(read, policy)) return;
    if (Date.now() >= deadline) break;
    await sleep(2_000);
  }
  throw new ProvisionError('not-kept', `${bucket}: the policy does not read back as it was written`, {
    subject: bucket,
    advice: 'run the command again; if it stays, the provider drops something of it, and tenants are not kept apart',
  });
}
