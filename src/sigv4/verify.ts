import type { Secret } from '../core/secret.ts';
import { canonicalRequest, stringToSign } from './canonical.ts';
import { formatAmzDate } from './dates.ts';
import { parseQuery } from './encoding.ts';
import { SigV4Error } from './errors.ts';
import { sameSignature, signingKey } from './keys.ts';
import { MAX_SKEW, type SignedAuthorization, type SignedRequest, type VerifiedSignature } from './model.ts';

export interface VerifyOptions {
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** The only region to accept; undefined accepts whichever the client signed for. */
  readonly region: string | undefined;
  readonly service: 's3';
}

/**
 * Proves that the holder of `secret` signed this request, for now and for here. For an unknown access key call it with
 * a made-up secret, so that the answer takes as long.
 * @throws SigV4Error SignatureDoesNotMatch, RequestTimeTooSkewed, AccessDenied (expired, headers left unsigned),
 * AuthorizationHeaderMalformed or AuthorizationQueryParametersError (signed for another region or service).
 */
export function verifySignature(
  request: SignedRequest,
  authorization: SignedAuthorization,
  secret: Secret,
  options: VerifyOptions,
): VerifiedSignature {
  checkScope(authorization, options);
  checkTime(authorization, options.now);
  checkCoverage(request, authorization.signedHeaders);
  const { date, region, service, amzDate } = authorization;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const parameters = parseQuery(request.rawQuery);
  const canonical = canonicalRequest({
    method: request.method,
    rawPath: request.rawPath,
    parameters:
      authorization.kind === 'query' ? parameters.filter(({ name }) => name !== 'X-Amz-Signature') : parameters,
    headers: request.headers,
    signedHeaders: authorization.signedHeaders,
    payloadHash: authorization.payloadHash,
  });
  const toSign = stringToSign(amzDate, scope, canonical);
  const key = signingKey(secret, date, region, service);
  if (!sameSignature(key.hex(toSign), authorization.signature)) {
    throw new SigV4Error(
      'SignatureDoesNotMatch',
      'signature-wrong',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      {
        subject: authorization.accessKeyId,
        advice: 'compare the canonical request of this answer with the one the client computed',
        elements: {
          AWSAccessKeyId: authorization.accessKeyId,
          StringToSign: toSign,
          SignatureProvided: authorization.signature,
          CanonicalRequest: canonical,
        },
      },
    );
  }
  return { signingKey: key, seedSignature: authorization.signature, scope, amzDate };
}

function checkScope(authorization: SignedAuthorization, options: VerifyOptions): void {
  const { region, service } = authorization;
  if (service !== options.service) {
    throw wrongScope(
      authorization,
      `incorrect service "${service}". This endpoint belongs to "${options.service}".`,
      {},
    );
  }
  if (options.region !== undefined && region !== options.region) {
    const why = `the region '${region}' is wrong; expecting '${options.region}'`;
    throw wrongScope(authorization, why, { Region: options.region });
  }
}

function wrongScope({ kind }: SignedAuthorization, why: string, elements: Record<string, string>): SigV4Error {
  const details = { elements, advice: 'set the region of the client to the one expected' };
  return kind === 'header'
    ? new SigV4Error(
        'AuthorizationHeaderMalformed',
        'scope-wrong',
        `The authorization header is malformed; ${why}`,
        details,
      )
    : new SigV4Error(
        'AuthorizationQueryParametersError',
        'scope-wrong',
        `Error parsing the X-Amz-Credential parameter; ${why}`,
        details,
      );
}

function checkTime(authorization: SignedAuthorization, now: number): void {
  const { timestampMs } = authorization;
  if (authorization.kind === 'query') {
    if (timestampMs - now > MAX_SKEW) {
      throw new SigV4Error('AccessDenied', 'not-yet-valid', 'Request is not valid yet', {
        elements: { ServerTime: new Date(now).toISOString() },
      });
    }
    const expires = timestampMs + authorization.expiresSeconds * 1000;
    if (now > expires) {
      throw new SigV4Error('AccessDenied', 'expired', 'Request has expired', {
        elements: {
          'X-Amz-Expires': String(authorization.expiresSeconds),
          Expires: new Date(expires).toISOString(),
          ServerTime: new Date(now).toISOString(),
        },
      });
    }
  } else if (Math.abs(timestampMs - now) > MAX_SKEW) {
    throw new SigV4Error(
      'RequestTimeTooSkewed',
      'skewed',
      'The difference between the request time and the current time is too large.',
      {
        advice: 'set the clock of the client or of the server (NTP)',
        elements: {
          RequestTime: formatAmzDate(timestampMs),
          ServerTime: new Date(now).toISOString(),
          MaxAllowedSkewMilliseconds: String(MAX_SKEW),
        },
      },
    );
  }
}

/** An `x-amz-*` header changes what a request does; one that is not signed may have been added on the way. */
function checkCoverage(request: SignedRequest, signedHeaders: readonly string[]): void {
  const unsigned: string[] = signedHeaders.includes('host') ? [] : ['host'];
  for (const name in request.headers) {
    if (name.startsWith('x-amz-') && request.headers[name] !== undefined && !signedHeaders.includes(name)) {
      unsigned.push(name);
    }
  }
  if (unsigned.length === 0) return;
  throw new SigV4Error(
    'AccessDenied',
    'headers-unsigned',
    'There were headers present in the request which were not signed',
    { elements: { HeadersNotSigned: unsigned.join(', ') } },
  );
}
