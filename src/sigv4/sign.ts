import type { Secret } from '../core/secret.ts';
import { canonicalRequest, single, stringToSign } from './canonical.ts';
import { formatAmzDate } from './dates.ts';
import { encodePart, parseQuery } from './encoding.ts';
import { SigV4Error } from './errors.ts';
import { signingKey } from './keys.ts';
import {
  ALGORITHM,
  type Headers,
  MAX_EXPIRES,
  type PayloadMode,
  type SignedRequest,
  UNSIGNED_PAYLOAD,
  type VerifiedSignature,
} from './model.ts';
import { payloadHash } from './payload.ts';

export interface Signer {
  readonly accessKeyId: string;
  readonly secret: Secret;
  readonly region: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  readonly service?: string | undefined;
  readonly sessionToken?: string | undefined;
}

// Headers that proxies and HTTP stacks change or that carry the signature itself.
const NEVER_SIGNED: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-amzn-trace-id',
]);

export interface SignedHeaders {
  /** To add to the request: authorization, x-amz-date, x-amz-content-sha256, x-amz-security-token where there is one. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the chunks of a signed streaming body continue from. */
  readonly seed: VerifiedSignature;
}

/**
 * Signs in the Authorization header.
 * @param request `headers` with `host`; all of them are signed, except those that change on the way.
 */
export function signRequest(request: SignedRequest, payload: PayloadMode, signer: Signer): SignedHeaders {
  const amzDate = formatAmzDate(signer.now);
  const hash = payloadHash(payload);
  const added: Record<string, string> = { 'x-amz-content-sha256': hash, 'x-amz-date': amzDate };
  if (signer.sessionToken !== undefined) added['x-amz-security-token'] = signer.sessionToken;
  const headers: Headers = { ...request.headers, ...added };
  const signedHeaders = namesToSign(headers);
  const { service = 's3', region } = signer;
  const date = amzDate.slice(0, 8);
  const scope = `${date}/${region}/${service}/aws4_request`;
  const canonical = canonicalRequest({
    method: request.method,
    rawPath: request.rawPath,
    parameters: parseQuery(request.rawQuery),
    headers,
    signedHeaders,
    payloadHash: hash,
  });
  const key = signingKey(signer.secret, date, region, service);
  const signature = key.hex(stringToSign(amzDate, scope, canonical));
  const credential = `${signer.accessKeyId}/${scope}`;
  added.authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return { headers: added, seed: { signingKey: key, seedSignature: signature, scope, amzDate } };
}

/**
 * Signs in the query. The body is unsigned unless `x-amz-content-sha256` is among the headers; every header of `request`, at least `host`, must be sent as given.
 * @param expiresSeconds 0 to 604,800.
 * @returns the whole raw query, without `?`.
 * @throws SigV4Error AuthorizationQueryParametersError for an expiry out of range.
 */
export function presign(request: SignedRequest, expiresSeconds: number, signer: Signer): string {
  if (!Number.isInteger(expiresSeconds) || expiresSeconds < 0 || expiresSeconds > MAX_EXPIRES) {
    throw new SigV4Error(
      'AuthorizationQueryParametersError',
      'query-malformed',
      `a presigned URL lives 0 to ${MAX_EXPIRES} seconds, not ${expiresSeconds}`,
    );
  }
  const amzDate = formatAmzDate(signer.now);
  const { service = 's3', region } = signer;
  const date = amzDate.slice(0, 8);
  const scope = `${date}/${region}/${service}/aws4_request`;
  const signedHeaders = namesToSign(request.headers);
  const fields: [string, string][] = [
    ['X-Amz-Algorithm', ALGORITHM],
    ['X-Amz-Credential', `${signer.accessKeyId}/${scope}`],
    ['X-Amz-Date', amzDate],
    ['X-Amz-Expires', String(expiresSeconds)],
    ['X-Amz-SignedHeaders', signedHeaders.join(';')],
  ];
  if (signer.sessionToken !== undefined) fields.push(['X-Amz-Security-Token', signer.sessionToken]);
  const added = fields.map(([name, value]) => `${name}=${encodePart(value)}`).join('&');
  const rawQuery = request.rawQuery === '' ? added : `${request.rawQuery}&${added}`;
  const canonical = canonicalRequest({
    method: request.method,
    rawPath: request.rawPath,
    parameters: parseQuery(rawQuery),
    headers: request.headers,
    signedHeaders,
    payloadHash: single(request.headers, 'x-amz-content-sha256') ?? UNSIGNED_PAYLOAD,
  });
  const signature = signingKey(signer.secret, date, region, service).hex(stringToSign(amzDate, scope, canonical));
  return `${rawQuery}&X-Amz-Signature=${signature}`;
}

function namesToSign(headers: Headers): readonly string[] {
  return Object.keys(headers)
    .filter((name) => headers[name] !== undefined && !NEVER_SIGNED.has(name))
    .toSorted();
}
