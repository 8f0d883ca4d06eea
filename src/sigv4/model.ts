import type { SigningKey } from './keys.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
/** Seconds: the longest a presigned URL may live. */
export const MAX_EXPIRES = 604_800;
/** Milliseconds between the two clocks that S3 tolerates. */
export const MAX_SKEW = 15 * 60 * 1000;

/** By name in lower case, as node:http's `IncomingMessage.headers` has them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request as it is on the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Percent-encoded, before the `?`. */
  readonly rawPath: string;
  /** After the `?`, without it. */
  readonly rawQuery: string;
  readonly headers: Headers;
}

/**
 * What `x-amz-content-sha256` says of the body. `empty` and `sha256` are promises the reader of the body must check:
 * the signature covers the digest, not the bytes.
 */
export type PayloadMode =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'sha256'; readonly hex: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'streaming'; readonly signed: boolean; readonly trailer: boolean };

export interface Credentialed {
  readonly accessKeyId: string;
  /** Of the credential's scope: `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** As the client listed them. */
  readonly signedHeaders: readonly string[];
  /** 64 hexadecimal digits. */
  readonly signature: string;
  /** When the client says it signed, in milliseconds since 1970 UTC. */
  readonly timestampMs: number;
  /** The same as `YYYYMMDDTHHMMSSZ`. */
  readonly amzDate: string;
  /** The last line of the canonical request. */
  readonly payloadHash: string;
  readonly payload: PayloadMode;
  /** Of temporary credentials: `x-amz-security-token`. */
  readonly sessionToken: string | undefined;
}

export type Authorization =
  | { readonly kind: 'anonymous'; readonly payload: PayloadMode }
  | (Credentialed & { readonly kind: 'header' })
  | (Credentialed & { readonly kind: 'query'; readonly expiresSeconds: number });

export type SignedAuthorization = Exclude<Authorization, { kind: 'anonymous' }>;

/** What the signatures of a chunked body continue from. */
export interface VerifiedSignature {
  readonly signingKey: SigningKey;
  /** The request's own signature, 64 hexadecimal digits. */
  readonly seedSignature: string;
  /** `YYYYMMDD/region/service/aws4_request`. */
  readonly scope: string;
  readonly amzDate: string;
}
