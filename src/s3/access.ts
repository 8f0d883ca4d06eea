import type { Secret } from '../core/secret.ts';
import type { ObjectStore } from '../store/port.ts';
import { S3Error } from './errors.ts';

export interface Credential {
  readonly secret: Secret;
  /** Who signs with this key; what buckets are owned by. */
  readonly principal: string;
}

export interface CredentialSource {
  find(accessKeyId: string): Credential | undefined;
}

/** Who sent the request, as far as its signature proves. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'principal'; readonly principal: string; readonly accessKeyId: string };

/** One thing a request wants to do, in the words of S3's policy actions. */
export interface Check {
  readonly action: `s3:${string}`;
  /** Undefined for actions on the service as a whole. */
  readonly bucket?: string;
  readonly key?: string;
}

/** Answers whether the caller may do this. It may look at the store; it must not change it. */
export type Authorise = (caller: Caller, check: Check, store: ObjectStore) => boolean | Promise<boolean>;

/**
 * The rule without policies: the root principal may do everything, another principal what it likes in buckets it owns
 * and with the service, an anonymous caller nothing.
 */
export function ownersOnly(root: string): Authorise {
  return (caller, check, store) => {
    if (caller.kind === 'anonymous') return false;
    if (caller.principal === root || check.bucket === undefined) return true;
    return store.bucket(check.bucket).then((bucket) => bucket.owner === caller.principal);
  };
}

export function accessDenied(): S3Error {
  return new S3Error('AccessDenied');
}
