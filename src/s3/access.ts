import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Eventually } from '../core/eventually.ts';
import type { Secret } from '../core/secret.ts';
import type { Policy } from '../policy/index.ts';
import type { ObjectAttributes, ObjectStore, Tags } from '../store/port.ts';
import { S3Error } from './errors.ts';
import type { Query } from './query.ts';

/** A user within an account. Without one, a key holds all rights of its account, as the root key does. */
export interface AccountUser {
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  /** Holds all rights of the account. */
  readonly owner: boolean;
  readonly policies: readonly Policy[];
  /** What the buckets may hold together while the user writes to them. */
  readonly quota?: Quota | undefined;
}

export interface Quota {
  readonly bytes: number;
  readonly buckets: readonly string[];
}

export interface Credential {
  readonly secret: Secret;
  /** The account of who signs with this key; what buckets are owned by. */
  readonly principal: string;
  readonly user?: AccountUser | undefined;
}

export interface CredentialSource {
  find(accessKeyId: string): Credential | undefined;
}

/** An account as ACLs know it. */
export interface AccountName {
  readonly id: string;
  readonly displayName: string;
}

/** Who may be named in an ACL. */
export interface Accounts {
  account(id: string): AccountName | undefined;
  accountByEmail(email: string): AccountName | undefined;
}

/** Takes any id, and knows no names: for servers whose accounts are not known. */
export const anyAccount: Accounts = {
  account: (id) => ({ id, displayName: id }),
  accountByEmail: () => undefined,
};

/** Who sent the request, as far as its signature proves. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'principal';
      /** The account. */
      readonly principal: string;
      readonly accessKeyId: string;
      readonly user?: AccountUser | undefined;
    };

/** What a request says of object lock. */
export type LockAttributes = Pick<ObjectAttributes, 'retention' | 'legalHold'>;

/** One thing a request wants to do, in the words of S3's policy actions. */
export interface Check {
  /** Of a version, too, without `Version`: `versionId` makes GetObject GetObjectVersion. */
  readonly action: `s3:${string}`;
  /** Undefined for actions on the service as a whole. */
  readonly bucket?: string;
  readonly key?: string;
  /** Default, when the key is the request's own: the request's. */
  readonly versionId?: string | undefined;
  /** What a body says of tags; those of the header `x-amz-tagging` are known. */
  readonly tags?: Tags | undefined;
  /** What a body says of retention and legal hold; then headers count for nothing. */
  readonly lock?: LockAttributes | undefined;
  /** What `s3:prefix` is, where it is not the request's parameter. */
  readonly prefix?: string | undefined;
}

/** What conditions may ask of a request. */
export interface RequestFacts {
  readonly bucket: string;
  readonly key: string;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly sourceIp: string | undefined;
  /** What the request came on: a TLSSocket tells more, and only when it is asked. */
  readonly connection: Socket;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly signature: SignatureFacts | undefined;
}

export interface SignatureFacts {
  readonly type: 'REST-HEADER' | 'REST-QUERY-STRING' | 'POST';
  readonly version: 'AWS4-HMAC-SHA256';
  /** When the client says it signed: milliseconds since 1970. */
  readonly signed: number;
}

/** `true`, or why not. The reason is told to callers of the bucket's own account only. */
export type Decision = boolean | { readonly denied: string };

/** Answers whether the caller may do this. It may look at the store; it must not change it. */
export type Authorise = (caller: Caller, check: Check, store: ObjectStore, facts: RequestFacts) => Eventually<Decision>;

export function accessDenied(why?: string): S3Error {
  return new S3Error('AccessDenied', why);
}
