import type { PolicyDocument } from '../bucket/index.ts';
import type { ProviderProfile } from '../providers/index.ts';
import type { Isolation } from './isolation.ts';
import type { Tenant } from './model.ts';

export interface LiveTenantUser {
  readonly name: string;
  readonly enabled: boolean;
  /** By name, JSON documents as text. */
  readonly policies: Readonly<Record<string, string>>;
  readonly quota?: TenantQuota | undefined;
}

/** How many bytes these buckets may hold together. */
export interface TenantQuota {
  readonly bytes: number;
  readonly buckets: readonly string[];
}

/** What is there: read by `readTenancy`. */
export interface LiveTenancy {
  /** By bucket; undefined: there is none. */
  readonly buckets: ReadonlyMap<string, { readonly policy: PolicyDocument | undefined } | undefined>;
  /** Buckets that are there, and that this key may not look at; they are not among `buckets`. */
  readonly hidden: readonly string[];
  /** Users of our own server; undefined: of no matter. */
  readonly users: readonly LiveTenantUser[] | undefined;
  /** The project that the buckets belong to, where the provider tells. */
  readonly project: string | undefined;
}

export interface TenantPlanInput {
  readonly tenants: readonly Tenant[];
  readonly administrators: readonly string[];
  readonly profile: ProviderProfile;
  /** The key that provisions. */
  readonly keyId: string;
  /** Buckets of the stack and of the manifest: those that are no tenant's are fenced off. */
  readonly otherBuckets: readonly string[];
  /** Buckets whose policy the manifest writes out itself. */
  readonly managedPolicies: readonly string[];
  /** Tenants that are to go, which are no longer among `tenants`. */
  readonly removed: readonly string[];
  readonly live: LiveTenancy;
}

export type TenantChange =
  | { readonly kind: 'create-bucket'; readonly bucket: string }
  | {
      readonly kind: 'add-user';
      readonly tenant: string;
      readonly policy: PolicyDocument;
      readonly quota: TenantQuota | undefined;
    }
  /** Undefined: as much as there is room for. */
  | { readonly kind: 'set-user-quota'; readonly tenant: string; readonly quota: TenantQuota | undefined }
  | { readonly kind: 'set-user-policy'; readonly tenant: string; readonly policy: PolicyDocument }
  | { readonly kind: 'suspend-user' | 'resume-user' | 'remove-user'; readonly tenant: string }
  | {
      readonly kind: 'set-bucket-policy';
      readonly bucket: string;
      readonly before: PolicyDocument | undefined;
      /** Undefined: it is removed. */
      readonly after: PolicyDocument | undefined;
    };

export interface TenantProblem {
  /** A tenant, a bucket or a setting. */
  readonly subject: string;
  readonly problem: string;
  readonly advice: string;
}

export interface TenantPlan {
  readonly isolation: Isolation;
  readonly tradeOff: string;
  readonly changes: readonly TenantChange[];
  /** What only people can do, where the provider has no API for it: each a step, in order. */
  readonly byHand: readonly string[];
  /** What is left alone and may matter. */
  readonly notes: readonly string[];
  /** All that keeps the plan from being carried out. */
  readonly problems: readonly TenantProblem[];
}
