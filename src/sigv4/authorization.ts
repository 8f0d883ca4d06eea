import { single } from './canonical.ts';
import { formatAmzDate, parseAmzDate, parseDateHeader } from './dates.ts';
import { decodePart, parseQuery, type QueryParameter } from './encoding.ts';
import { SigV4Error } from './errors.ts';
import {
  ALGORITHM,
  type Authorization,
  MAX_EXPIRES,
  type SignedAuthorization,
  type SignedRequest,
  UNSIGNED_PAYLOAD,
} from './model.ts';
import { parsePayloadMode } from './payload.ts';

const SIGNATURE = /^[0-9a-f]{64}$/;
const SCOPE_DATE = /^\d{8}$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ONE_MECHANISM =
  'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified';
const USE_V4 = `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`;

type Fail = (message: string) => SigV4Error;
type Scope = Pick<SignedAuthorization, 'accessKeyId' | 'date' | 'region' | 'service'>;

/**
 * Reads who claims to have signed a request, and how; proves nothing (`verifySignature` does). An absent or empty
 * Authorization header means anonymous.
 * @throws SigV4Error for everything that S3 refuses before it looks for the access key.
 */
export function parseAuthorization(request: SignedRequest): Authorization {
  const header = request.headers.authorization;
  const parameters = parseQuery(request.rawQuery);
  const inQuery = parameters.some(({ name }) => QUERY_MARKS.has(name));
  const v2InQuery = parameters.some(({ name }) => name === 'AWSAccessKeyId' || name === 'Signature');
  if (header !== undefined && header !== '') {
    if (typeof header !== 'string' || inQuery || v2InQuery) {
      throw new SigV4Error('InvalidArgument', 'mechanisms-mixed', ONE_MECHANISM);
    }
    return fromHeader(request, header);
  }
  if (inQuery) return fromQuery(request, parameters);
  if (v2InQuery) throw new SigV4Error('InvalidRequest', 'signature-v2', USE_V4);
  const payload = parsePayloadMode(single(request.headers, 'x-amz-content-sha256') ?? UNSIGNED_PAYLOAD);
  if (payload.kind === 'streaming' && payload.signed) {
    throw new SigV4Error('AccessDenied', 'signature-wrong', 'A signed streaming body needs a signed request.');
  }
  return { kind: 'anonymous', payload };
}

function fromHeader(request: SignedRequest, header: string): Authorization {
  if (!header.startsWith(ALGORITHM) || header.charAt(ALGORITHM.length) !== ' ') {
    if (header.startsWith('AWS ')) throw new SigV4Error('InvalidRequest', 'signature-v2', USE_V4);
    if (header.startsWith('AWS4-')) {
      throw new SigV4Error('NotImplemented', 'authorization-unsupported', USE_V4, { advice: `use ${ALGORITHM}` });
    }
    throw new SigV4Error('InvalidArgument', 'authorization-unsupported', 'Unsupported Authorization Type', {
      elements: { ArgumentName: 'Authorization' },
    });
  }
  const { scope, signedHeaders, signature } = readFields(header);
  const { amzDate, timestampMs } = requestDate(request);
  if (!amzDate.startsWith(scope.date)) {
    throw malformedHeader('Invalid credential date. Date is not the same as X-Amz-Date');
  }
  const hash = single(request.headers, 'x-amz-content-sha256');
  if (hash === undefined) {
    throw new SigV4Error(
      'InvalidRequest',
      'content-sha256-missing',
      'Missing required header for this request: x-amz-content-sha256',
      { elements: { HeaderName: 'x-amz-content-sha256' } },
    );
  }
  return {
    kind: 'header',
    ...scope,
    signedHeaders,
    signature,
    timestampMs,
    amzDate,
    payloadHash: hash,
    payload: parsePayloadMode(hash),
    sessionToken: single(request.headers, 'x-amz-security-token'),
  };
}

interface SignedFields {
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string;
}

/** Headers without their signature, when that comes last: a client's requests of one day hardly differ before it. */
const READ = new Map<string, Omit<SignedFields, 'signature'>>();
const MAX_READ = 1000;
const MAX_READ_LENGTH = 1024;
const LAST_FIELD = 'Signature=';
const SIGNATURE_LENGTH = 64;

/** @throws SigV4Error AuthorizationHeaderMalformed */
function readFields(header: string): SignedFields {
  const start = header.length - SIGNATURE_LENGTH;
  const signature = header.slice(start);
  if (!header.endsWith(LAST_FIELD, start) || !SIGNATURE.test(signature)) return parseFields(header);
  const before = header.slice(0, start);
  const known = READ.get(before);
  if (known !== undefined) return { scope: known.scope, signedHeaders: known.signedHeaders, signature };
  const fields = parseFields(header);
  if (READ.size >= MAX_READ) READ.clear();
  if (before.length <= MAX_READ_LENGTH) READ.set(before, fields);
  return fields;
}

function parseFields(header: string): SignedFields {
  const fields = new Map<string, string>();
  for (const field of header.slice(ALGORITHM.length + 1).split(',')) {
    const equals = field.indexOf('=');
    const name = field.slice(0, Math.max(equals, 0)).trim();
    if (equals < 0 || fields.has(name)) throw malformedHeader('it is not a list of distinct name=value fields');
    fields.set(name, field.slice(equals + 1).trim());
  }
  const required = (name: string) => {
    const value = fields.get(name);
    if (value === undefined || value === '') throw malformedHeader(`${name} is missing`);
    return value;
  };
  const scope = parseCredential(required('Credential'), malformedHeader);
  const signedHeaders = parseSignedHeaders(required('SignedHeaders'), malformedHeader);
  const signature = required('Signature').toLowerCase();
  if (!SIGNATURE.test(signature)) throw malformedHeader('the Signature is not 64 hexadecimal digits');
  return { scope, signedHeaders, signature };
}

const QUERY_MARKS: ReadonlySet<string> = new Set(['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature']);
const QUERY_AUTH: ReadonlySet<string> = new Set([
  ...QUERY_MARKS,
  'X-Amz-Content-Sha256',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-SignedHeaders',
]);

function fromQuery(request: SignedRequest, parameters: readonly QueryParameter[]): Authorization {
  const fields = new Map<string, string>();
  for (const { name, value } of parameters) {
    if (!QUERY_AUTH.has(name)) continue;
    if (fields.has(name)) throw malformedQuery(`${name} must be given only once`);
    fields.set(name, decodePart(value));
  }
  const required = (name: string) => {
    const value = fields.get(name);
    if (value === undefined || value === '') throw malformedQuery(INCOMPLETE_QUERY);
    return value;
  };
  const algorithm = required('X-Amz-Algorithm');
  if (algorithm !== ALGORITHM) {
    if (algorithm.startsWith('AWS4-ECDSA')) {
      throw new SigV4Error('NotImplemented', 'authorization-unsupported', USE_V4, { advice: `use ${ALGORITHM}` });
    }
    throw malformedQuery(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const scope = parseCredential(required('X-Amz-Credential'), (why) =>
    malformedQuery(`Error parsing the X-Amz-Credential parameter; ${why}`),
  );
  const signedHeaders = parseSignedHeaders(required('X-Amz-SignedHeaders'), malformedQuery);
  const signature = required('X-Amz-Signature').toLowerCase();
  if (!SIGNATURE.test(signature)) {
    throw new SigV4Error('SignatureDoesNotMatch', 'signature-wrong', 'X-Amz-Signature is not 64 hexadecimal digits.');
  }
  const amzDate = required('X-Amz-Date');
  const timestampMs = parseAmzDate(amzDate);
  if (timestampMs === undefined) {
    throw malformedQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  }
  if (!amzDate.startsWith(scope.date)) {
    throw malformedQuery(`Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date`);
  }
  const expiresSeconds = parseExpires(required('X-Amz-Expires'));
  // A presigned URL's body is unsigned unless the client says otherwise, in a header or in the query.
  const hash =
    single(request.headers, 'x-amz-content-sha256') ?? fields.get('X-Amz-Content-Sha256') ?? UNSIGNED_PAYLOAD;
  return {
    kind: 'query',
    ...scope,
    signedHeaders,
    signature,
    timestampMs,
    amzDate,
    expiresSeconds,
    payloadHash: hash,
    payload: parsePayloadMode(hash),
    sessionToken: fields.get('X-Amz-Security-Token'),
  };
}

const INCOMPLETE_QUERY =
  'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';

function parseExpires(text: string): number {
  if (/^-\d+$/.test(text)) throw outOfRange('X-Amz-Expires must be non-negative');
  if (!/^\d{1,15}$/.test(text)) throw malformedQuery('X-Amz-Expires should be a number');
  const seconds = Number(text);
  if (seconds > MAX_EXPIRES) {
    throw outOfRange(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${MAX_EXPIRES} seconds`,
    );
  }
  return seconds;
}

/** AWS says 400 here; as an expired URL it is 403 for Ceph's suite, and for clients that only tell "no longer". */
function outOfRange(message: string): SigV4Error {
  return new SigV4Error('AccessDenied', 'query-malformed', message);
}

/** `ACCESS-KEY/YYYYMMDD/region/service/aws4_request`. Read from the end: access keys of other systems hold slashes. */
export function parseCredential(text: string, fail: Fail): Scope {
  const parts = text.split('/');
  const [date, region, service, terminator] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join('/');
  if (accessKeyId === '' || date === undefined || region === undefined || service === undefined) {
    throw fail('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".');
  }
  if (terminator !== 'aws4_request')
    throw fail(`incorrect terminal "${terminator}". This endpoint uses "aws4_request".`);
  if (!SCOPE_DATE.test(date))
    throw fail(`incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`);
  return { accessKeyId, date, region, service };
}

function parseSignedHeaders(text: string, fail: Fail): readonly string[] {
  const names = text.split(';');
  for (const name of names) {
    if (!HEADER_NAME.test(name) || name !== name.toLowerCase())
      throw fail('SignedHeaders must be lower-case header names.');
  }
  return names;
}

function requestDate(request: SignedRequest): { amzDate: string; timestampMs: number } {
  const amz = single(request.headers, 'x-amz-date');
  const fallback = single(request.headers, 'date');
  const timestampMs =
    amz !== undefined ? parseAmzDate(amz) : fallback !== undefined ? parseDateHeader(fallback) : undefined;
  if (timestampMs === undefined) {
    throw new SigV4Error(
      'AccessDenied',
      'date-invalid',
      'AWS authentication requires a valid Date or x-amz-date header',
    );
  }
  return { amzDate: amz ?? formatAmzDate(timestampMs), timestampMs };
}

function malformedHeader(why: string): SigV4Error {
  return new SigV4Error(
    'AuthorizationHeaderMalformed',
    'authorization-malformed',
    `The authorization header is malformed; ${why}`,
  );
}

function malformedQuery(message: string): SigV4Error {
  return new SigV4Error('AuthorizationQueryParametersError', 'query-malformed', message);
}
