import type { RawRequest } from '../../../client/index.ts';
import type { Attack, AttackContext } from '../model.ts';

const escapeKey = (key: string) => key.split('/').map(encodeURIComponent).join('/');

/** The bucket as a host name. A number has no names below it; servers that take such names know `localhost`. */
function hostOf(bucket: string, { connection: { endpoint } }: AttackContext): string {
  const isNumber = endpoint.host.includes(':') || /^[0-9.]+$/.test(endpoint.host);
  const port = endpoint.port === undefined ? '' : `:${endpoint.port}`;
  return `${bucket}.${isNumber ? 'localhost' : endpoint.host}${port}`;
}

const byHost = (
  operation: string,
  method: RawRequest['method'],
  more: (context: AttackContext) => Partial<RawRequest>,
): Attack => ({
  operation,
  trick: "by the bucket's own host name",
  expect: 'denied',
  request: (context) => ({
    method,
    bucket: undefined,
    encodedKey: escapeKey(context.victim.key),
    query: '',
    headers: { host: hostOf(context.victim.bucket, context) },
    ...more(context),
  }),
});

/** A request for something of one's own, with a header in which a proxy may find another address. */
const byHeader = (trick: string, headers: (context: AttackContext) => Record<string, string>): Attack => ({
  operation: 'GetObject',
  trick: `an own key, ${trick}`,
  expect: 'nothing',
  request: (context) => ({
    method: 'GET',
    bucket: context.own.bucket,
    key: context.own.key,
    query: '',
    headers: headers(context),
  }),
});

const path = ({ victim }: AttackContext) => `/${victim.bucket}/${escapeKey(victim.key)}`;

/** Words of other services at the same address: what hands out keys or tells of users. They only read. */
const calls: readonly (readonly [operation: string, body: string])[] = [
  ['GetSessionToken', 'Action=GetSessionToken&Version=2011-06-15'],
  [
    'AssumeRole',
    'Action=AssumeRole&Version=2011-06-15&RoleSessionName=audit&DurationSeconds=900&RoleArn=arn%3Aaws%3Aiam%3A%3A%3Arole%2Fbucketwright-audit',
  ],
  ['ListAccessKeys', 'Action=ListAccessKeys&Version=2010-05-08'],
  ['ListUsers', 'Action=ListUsers&Version=2010-05-08'],
];

const KEYS = /<AccessKeyId>|<SecretAccessKey>|"(?:access|secret)_key"|"secretKey"|<Users>\s*<member>/i;
const tellsKeys: Attack['leaks'] = ({ status, body }) =>
  status < 300 && KEYS.test(body) ? 'keys or names of users' : undefined;

export const elsewhereAttacks: readonly Attack[] = [
  byHost('GetObject', 'GET', () => ({})),
  byHost('PutObject', 'PUT', () => ({ body: 'planted by an attacker' })),
  byHost('DeleteObject', 'DELETE', () => ({})),
  byHost('ListObjectsV2', 'GET', ({ victim }) => ({
    encodedKey: '',
    query: `list-type=2&prefix=${encodeURIComponent(victim.folder)}`,
  })),
  byHost('presigned URL', 'GET', () => ({ presigned: 60 })),
  {
    operation: 'GetObject',
    trick: "the own bucket's host name, the victim's bucket in the path",
    expect: 'nothing',
    request: (context) => ({
      method: 'GET',
      bucket: context.victim.bucket,
      key: context.victim.key,
      query: '',
      headers: { host: hostOf(context.own.bucket, context) },
    }),
  },
  byHeader('x-forwarded-host the victim\u2019s', (context) => ({
    'x-forwarded-host': hostOf(context.victim.bucket, context),
  })),
  byHeader('x-original-url the victim\u2019s', (context) => ({
    'x-original-url': path(context),
    'x-rewrite-url': path(context),
  })),
  ...['PreflightBucket', 'PreflightObject'].map(
    (operation): Attack => ({
      operation,
      trick: "of the victim's",
      expect: 'nothing',
      request: ({ victim }) => ({
        method: 'OPTIONS',
        bucket: victim.bucket,
        key: operation === 'PreflightObject' ? victim.key : undefined,
        query: '',
        anonymous: true,
        headers: { origin: 'https://bucketwright-audit.invalid', 'access-control-request-method': 'GET' },
      }),
    }),
  ),
  ...calls.map(
    ([operation, body]): Attack => ({
      operation,
      trick: 'asked of the S3 endpoint',
      expect: 'nothing',
      request: () => ({
        method: 'POST',
        bucket: undefined,
        query: '',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      }),
      leaks: tellsKeys,
    }),
  ),
  ...['admin/user', 'admin/metadata/user', 'minio/admin/v3/list-users'].map(
    (address): Attack => ({
      operation: 'ListUsers',
      trick: `at /${address}`,
      expect: 'nothing',
      request: () => ({ method: 'GET', bucket: undefined, encodedKey: address, query: '' }),
      leaks: tellsKeys,
    }),
  ),
];
