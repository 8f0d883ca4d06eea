import { ClientError, type ClientErrorCode } from './errors.ts';

/** What the request was about, for messages. */
export interface RequestSubject {
  /** Such as `PutObject`. */
  readonly operation: string;
  /** The endpoint's URL. */
  readonly endpoint: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

/** By S3 error code: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and what other servers say. */
const byS3Code: ReadonlyMap<string, ClientErrorCode> = new Map([
  ['NoSuchBucket', 'no-such-bucket'],
  ['NoSuchKey', 'no-such-key'],
  ['NoSuchUpload', 'no-such-upload'],
  ['BucketAlreadyExists', 'owned-by-other'],
  ['BucketAlreadyOwnedByYou', 'already-owned'],
  ['BucketNotEmpty', 'bucket-not-empty'],
  ['InvalidAccessKeyId', 'bad-credentials'],
  ['SignatureDoesNotMatch', 'bad-credentials'],
  ['Unauthorized', 'bad-credentials'],
  ['AccessDenied', 'denied'],
  ['AllAccessDisabled', 'denied'],
  ['RequestTimeTooSkewed', 'clock-skew'],
  ['AuthorizationHeaderMalformed', 'wrong-region'],
  ['PermanentRedirect', 'wrong-region'],
  ['IllegalLocationConstraintException', 'wrong-region'],
  ['InvalidLocationConstraint', 'wrong-region'],
  ['PreconditionFailed', 'precondition-failed'],
  ['InvalidRange', 'range'],
  ['BadDigest', 'checksum'],
  ['InvalidDigest', 'checksum'],
  ['XAmzContentSHA256Mismatch', 'checksum'],
  ['SlowDown', 'throttled'],
  ['TooManyRequests', 'throttled'],
  ['RequestLimitExceeded', 'throttled'],
  ['NotImplemented', 'not-implemented'],
]);

const unreachableCodes = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'ECONNABORTED',
]);

const advice: Readonly<Partial<Record<ClientErrorCode, string>>> = {
  unreachable: 'check S3_ENDPOINT, that the server runs, and that this machine may reach it',
  tls: 'check that the scheme of S3_ENDPOINT is what the server speaks and that its certificate is trusted (NODE_EXTRA_CA_CERTS adds one)',
  'bad-credentials': 'check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY',
  denied: 'the key is known but may not do this: check its policy and whose bucket it is',
  'clock-skew': "set this machine's clock (NTP)",
  'wrong-region': 'check S3_REGION',
  'no-such-bucket': 'create it with `bucketwright provision`, or check the name and the region',
  'owned-by-other': 'choose another name: bucket names are shared by all accounts of a provider',
  throttled: 'wait and try again, with fewer requests at once',
  server: "the provider's own failure: try again, and look at its status page",
  protocol: 'check that S3_ENDPOINT is an S3 API and not a console or a web page',
};

/** Turns whatever the SDK threw into a ClientError. By S3's code, then by status (bodies may be HTML), then by socket. */
export function translate(error: unknown, subject: RequestSubject): ClientError {
  if (error instanceof ClientError) return error;
  const status = statusOf(error);
  const name = s3CodeOf(error);
  const code = classify(error, status, name, subject);
  const about =
    subject.bucket === undefined ? subject.endpoint : [subject.bucket, subject.key].filter(Boolean).join('/');
  const answer = [status, name ?? socketCode(error)].filter((part) => part !== undefined).join(' ');
  return new ClientError(code, `${subject.operation} ${about}: ${code}${answer === '' ? '' : ` (${answer})`}`, {
    subject: about,
    advice: advice[code],
    cause: error,
    status,
    s3Code: name,
    requestId: stringAt(objectAt(error, '$metadata'), 'requestId'),
  });
}

function classify(
  error: unknown,
  status: number | undefined,
  name: string | undefined,
  subject: RequestSubject,
): ClientErrorCode {
  if (status === undefined) return withoutAnswer(error);
  const known = name === undefined ? undefined : byS3Code.get(name);
  if (known !== undefined) return known;
  switch (status) {
    case 301:
    case 307:
      return 'wrong-region';
    case 401:
      return 'bad-credentials';
    case 403:
      return 'denied';
    case 404:
      return subject.key === undefined ? 'no-such-bucket' : 'no-such-key';
    case 405:
    case 501:
      return 'not-implemented';
    case 412:
      return 'precondition-failed';
    case 416:
      return 'range';
    case 429:
    case 503:
      return 'throttled';
    default:
      if (status >= 500) return 'server';
      return status >= 400 ? 'refused' : 'protocol';
  }
}

function withoutAnswer(error: unknown): ClientErrorCode {
  const code = socketCode(error);
  if (code === undefined) {
    const name = stringAt(error, 'name');
    return name === 'TimeoutError' || name === 'AbortError' ? 'unreachable' : 'protocol';
  }
  if (unreachableCodes.has(code)) return 'unreachable';
  if (/^(?:ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|EPROTO)/.test(code)) return 'tls';
  return 'protocol';
}

/** Whether Node could not parse the answer: radosgw breaks its own keep-alive connections, so one repeat is fair. */
export function isBrokenFraming(error: unknown): boolean {
  return socketCode(error)?.startsWith('HPE_') ?? false;
}

function statusOf(error: unknown): number | undefined {
  return (
    numberAt(objectAt(error, '$metadata'), 'httpStatusCode') ?? numberAt(objectAt(error, '$response'), 'statusCode')
  );
}

/** The SDK puts S3's code into `Code` and `name`; its own placeholder names are none. */
function s3CodeOf(error: unknown): string | undefined {
  const found = stringAt(error, 'Code') ?? stringAt(error, 'name');
  return found === undefined ||
    !/^[A-Z][A-Za-z0-9]+$/.test(found) ||
    /^(?:Error|\w*Error|Unknown|UnknownError|NotFound|Forbidden|\d+)$/.test(found)
    ? undefined
    : found;
}

function socketCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; depth < 4 && typeof current === 'object' && current !== null; depth += 1) {
    const code = stringAt(current, 'code');
    if (code !== undefined) return code;
    // A host with several addresses fails with all their errors at once.
    current = 'errors' in current && Array.isArray(current.errors) ? current.errors[0] : objectAt(current, 'cause');
  }
  return undefined;
}

function objectAt(value: unknown, key: string): object | undefined {
  const found = propertyOf(value, key);
  return typeof found === 'object' && found !== null ? found : undefined;
}

function stringAt(value: unknown, key: string): string | undefined {
  const found = propertyOf(value, key);
  return typeof found === 'string' ? found : undefined;
}

function numberAt(value: unknown, key: string): number | undefined {
  const found = propertyOf(value, key);
  return typeof found === 'number' ? found : undefined;
}

function propertyOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
