import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Clock } from '../core/clock.ts';
import { Secret } from '../core/secret.ts';
import {
  decodeChunks,
  EMPTY_SHA256,
  type PayloadMode,
  parseAuthorization,
  parseFormAuthorization,
  parseTrailerNames,
  type VerifiedSignature,
  verifyForm,
  verifySignature,
} from '../sigv4/index.ts';
import type { Caller, CredentialSource, SignatureFacts } from './access.ts';
import { invalidArgument, S3Error } from './errors.ts';
import type { ChunkedPayload, Payload } from './payload.ts';
import type { Query } from './query.ts';
import type { Target } from './target.ts';
import { headerOfText } from './wire/text.ts';

export interface Accepted {
  readonly caller: Caller;
  /** The request's headers, and of a presigned request those that stand in its query. */
  readonly headers: IncomingHttpHeaders;
  readonly payload: Payload;
  readonly signature?: SignatureFacts | undefined;
}

/** Stands in for the secret of an unknown key, so that the answer takes as long. */
const NOBODY = new Secret('an unknown access key costs as much as a wrong signature');

const UNSIGNED: Payload = { sha256: undefined, chunked: undefined };

/**
 * Proves who sent a request.
 * @param region the only region that requests may be signed for; undefined: any
 * @throws SigV4Error, S3Error `InvalidAccessKeyId`
 */
export function authenticator(credentials: CredentialSource, region: string | undefined, clock: Clock) {
  return (req: IncomingMessage, target: Target, query: Query): Accepted => {
    const { headers } = req;
    const signed = { method: req.method ?? '', rawPath: target.rawPath, rawQuery: target.rawQuery, headers };
    const authorization = parseAuthorization(signed);
    if (authorization.kind === 'anonymous') {
      return { caller: { kind: 'anonymous' }, headers, payload: payloadOf(authorization.payload, headers, undefined) };
    }
    const { accessKeyId } = authorization;
    const credential = credentials.find(accessKeyId);
    let verified: VerifiedSignature | undefined;
    try {
      verified = verifySignature(signed, authorization, credential?.secret ?? NOBODY, {
        now: clock.now(),
        region,
        service: 's3',
      });
    } catch (error) {
      if (credential !== undefined) throw error;
    }
    if (credential === undefined || verified === undefined) {
      throw new S3Error('InvalidAccessKeyId', undefined, { elements: { AWSAccessKeyId: accessKeyId } });
    }
    return {
      caller: { kind: 'principal', principal: credential.principal, accessKeyId, user: credential.user },
      headers: authorization.kind === 'query' ? withQueryHeaders(headers, query) : headers,
      payload: payloadOf(authorization.payload, headers, verified),
      signature: {
        type: authorization.kind === 'query' ? 'REST-QUERY-STRING' : 'REST-HEADER',
        version: 'AWS4-HMAC-SHA256',
        signed: authorization.timestampMs,
      },
    };
  };
}

/** From a form's fields by lower-case name. */
export type FormSigner = (fields: ReadonlyMap<string, string>) => Signer;

interface Signer {
  readonly caller: Caller;
  readonly signature: SignatureFacts | undefined;
}

/**
 * Proves who signed a browser's form.
 * @throws SigV4Error, S3Error `InvalidAccessKeyId`
 */
export function formAuthenticator(credentials: CredentialSource, region: string | undefined): FormSigner {
  return (fields: ReadonlyMap<string, string>): Signer => {
    const form = parseFormAuthorization(fields);
    if (form.kind === 'anonymous') return { caller: { kind: 'anonymous' }, signature: undefined };
    const { accessKeyId } = form;
    const credential = credentials.find(accessKeyId);
    try {
      verifyForm(form, credential?.secret ?? NOBODY, region);
    } catch (error) {
      if (credential !== undefined) throw error;
    }
    if (credential === undefined) {
      throw new S3Error('InvalidAccessKeyId', undefined, { elements: { AWSAccessKeyId: accessKeyId } });
    }
    return {
      caller: { kind: 'principal', principal: credential.principal, accessKeyId, user: credential.user },
      // The older signature does not say when it was made: policies that ask for its age or version are not met.
      signature:
        form.kind === 'v4' ? { type: 'POST', version: 'AWS4-HMAC-SHA256', signed: form.timestampMs } : undefined,
    };
  };
}

function payloadOf(mode: PayloadMode, headers: IncomingHttpHeaders, verified: VerifiedSignature | undefined): Payload {
  switch (mode.kind) {
    case 'unsigned':
      return UNSIGNED;
    case 'empty':
      return { sha256: EMPTY_SHA256, chunked: undefined };
    case 'sha256':
      return { sha256: mode.hex, chunked: undefined };
    case 'streaming':
      return { sha256: undefined, chunked: chunkedPayload(mode, headers, verified) };
  }
}

/** @throws S3Error `MissingContentLength`, `InvalidArgument`: S3 takes no streaming body of unknown length. */
function chunkedPayload(
  mode: Extract<PayloadMode, { kind: 'streaming' }>,
  headers: IncomingHttpHeaders,
  seed: VerifiedSignature | undefined,
): ChunkedPayload {
  const declared = headers['x-amz-decoded-content-length'];
  if (declared === undefined) throw new S3Error('MissingContentLength');
  const text = String(declared);
  if (!/^\d{1,15}$/.test(text)) {
    throw invalidArgument('x-amz-decoded-content-length', text, 'The decoded content length is not a number');
  }
  const decodedLength = Number(text);
  const trailerNames = parseTrailerNames(headers['x-amz-trailer']?.toString());
  const decode = decodeChunks({
    seed: mode.signed ? seed : undefined,
    decodedLength,
    trailer: mode.trailer,
    trailerNames: mode.trailer ? trailerNames : [],
  });
  return { decodedLength, decode, trailer: (name) => decode.trailers.get(name) };
}

/** Of a presigned URL's query these are about the signature, or about a body that the signer did not have. */
const NOT_HEADERS =
  /^x-amz-(?:algorithm|content-sha256|credential|date|expires|security-token|signature|signedheaders|checksum-.*|sdk-checksum-algorithm|trailer|decoded-content-length)$/;

/**
 * Signers may move `x-amz-*` headers into the query (the AWS SDK for JavaScript moves all it can); S3 reads them there.
 * Checksums do not count: a signer without the body wrote the one of no bytes.
 */
function withQueryHeaders(headers: IncomingHttpHeaders, query: Query): IncomingHttpHeaders {
  let merged: IncomingHttpHeaders | undefined;
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (!lower.startsWith('x-amz-') || NOT_HEADERS.test(lower) || headers[lower] !== undefined) continue;
    merged ??= { ...headers };
    // As Node would give it, had it been a header.
    merged[lower] = headerOfText(value);
  }
  return merged ?? headers;
}
