import type { Feature } from '../../../providers/index.ts';
import type { Attack, AttackContext } from '../model.ts';

/** What is sent when nothing is configured: harmless where it gets through, and the audit takes it away again. */
const LIFECYCLE =
  '<LifecycleConfiguration><Rule><ID>bucketwright-audit</ID><Prefix>bucketwright-audit-none/</Prefix><Status>Disabled</Status><Expiration><Days>3650</Days></Expiration></Rule></LifecycleConfiguration>';
const CORS =
  '<CORSConfiguration><CORSRule><AllowedOrigin>https://bucketwright-audit.invalid</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>';
const TAGGING = '<Tagging><TagSet><Tag><Key>bucketwright-audit</Key><Value>x</Value></Tag></TagSet></Tagging>';
const POLICY = ({ victim }: AttackContext) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'BucketwrightAudit',
        Effect: 'Deny',
        Principal: { AWS: ['*'] },
        Action: ['s3:GetObject'],
        Resource: [`arn:aws:s3:::${victim.bucket}/bucketwright-audit-none/*`],
      },
    ],
  });

interface Subresource {
  readonly word: string;
  readonly names: readonly [get: string, put: string | undefined, remove: string | undefined];
  readonly needs?: Feature;
  /** What is written where the administrator could not read what is there. */
  readonly body: (context: AttackContext) => string;
}

/**
 * Only words that every profile knows to be safe: RADOS Gateways take `DELETE /bucket?word` with a word that they do not
 * know for the deletion of the bucket.
 */
const subresources: readonly Subresource[] = [
  {
    word: 'policy',
    names: ['GetBucketPolicy', 'PutBucketPolicy', 'DeleteBucketPolicy'],
    needs: 'bucket-policy',
    body: POLICY,
  },
  {
    word: 'lifecycle',
    names: ['GetBucketLifecycleConfiguration', 'PutBucketLifecycleConfiguration', 'DeleteBucketLifecycle'],
    needs: 'lifecycle',
    body: () => LIFECYCLE,
  },
  { word: 'cors', names: ['GetBucketCors', 'PutBucketCors', 'DeleteBucketCors'], needs: 'cors', body: () => CORS },
  {
    word: 'tagging',
    names: ['GetBucketTagging', 'PutBucketTagging', 'DeleteBucketTagging'],
    needs: 'bucket-tagging',
    body: () => TAGGING,
  },
  {
    word: 'object-lock',
    names: ['GetObjectLockConfiguration', undefined, undefined],
    needs: 'object-lock',
    body: () => '',
  },
];

const onBucket = (
  operation: string,
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE',
  query: string,
  more: Partial<Attack> & {
    readonly body?: (context: AttackContext) => string | undefined;
    readonly headers?: Record<string, string>;
  } = {},
): Attack => {
  const { body, headers, ...rest } = more;
  return {
    operation,
    trick: 'as it is',
    expect: 'denied',
    anonymous: true,
    ...rest,
    request: (context) => ({
      method,
      bucket: context.victim.bucket,
      query,
      ...(headers === undefined ? {} : { headers }),
      body: body?.(context),
      // Some answers of RADOS Gateways break the connection that they come over.
      alone: query === 'publicAccessBlock=',
    }),
  };
};

const OWNERSHIP =
  '<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>';
const ENCRYPTION =
  '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>';
const LOCK = '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>';

/** Other servers take these for the creation or deletion of the bucket, or for a listing. */
const onlyOurs: readonly (readonly [string, 'GET' | 'PUT' | 'DELETE', string, string?])[] = [
  ['GetBucketOwnershipControls', 'GET', 'ownershipControls='],
  ['PutBucketOwnershipControls', 'PUT', 'ownershipControls=', OWNERSHIP],
  ['DeleteBucketOwnershipControls', 'DELETE', 'ownershipControls='],
  ['GetBucketEncryption', 'GET', 'encryption='],
  ['PutBucketEncryption', 'PUT', 'encryption=', ENCRYPTION],
  ['DeleteBucketEncryption', 'DELETE', 'encryption='],
  ['PutObjectLockConfiguration', 'PUT', 'object-lock=', LOCK],
];

const RGW_AND_OURS = ['embedded', 'ceph'];

const readings: readonly (readonly [operation: string, query: string])[] = [
  ['GetBucketLogging', 'logging='],
  ['GetBucketNotificationConfiguration', 'notification='],
  ['GetBucketReplication', 'replication='],
  ['GetBucketRequestPayment', 'requestPayment='],
  ['GetBucketWebsite', 'website='],
  ['GetBucketAccelerateConfiguration', 'accelerate='],
];

/** A right to one word, which the request is judged by, and another that it is answered by. */
const mixedWords: readonly (readonly [operation: string, query: string, shown: RegExp])[] = [
  ['GetBucketPolicy', 'location=&policy=', /"Statement"/],
  ['GetBucketPolicy', 'policy=&location=', /"Statement"/],
  ['GetBucketAcl', 'location=&acl=', /<AccessControlPolicy/],
  ['GetBucketAcl', 'acl=&versioning=', /<AccessControlPolicy/],
];

/** Of a bucket that holds the bait, so that it is never empty. */
export const bucketAttacks: readonly Attack[] = [
  onBucket('HeadBucket', 'HEAD', '', { when: 'other-bucket' }),
  onBucket('GetBucketLocation', 'GET', 'location=', { when: 'other-bucket' }),
  // Whose name it is is no secret; that nothing of it changes is seen afterwards.
  onBucket('CreateBucket', 'PUT', '', { trick: 'again', expect: 'nothing', anonymous: false, when: 'other-bucket' }),
  onBucket('DeleteBucket', 'DELETE', ''),
  onBucket('GetBucketAcl', 'GET', 'acl='),
  onBucket('PutBucketAcl', 'PUT', 'acl=', { trick: 'private', headers: { 'x-amz-acl': 'private' } }),
  onBucket('GetBucketVersioning', 'GET', 'versioning=', { needs: 'versioning', when: 'other-bucket' }),
  onBucket('PutBucketVersioning', 'PUT', 'versioning=', {
    needs: 'versioning',
    trick: 'as it is now',
    // Versioning can never be off again, so where it is off what is sent says nothing, and fails when it gets through.
    body: ({ state }) =>
      `<VersioningConfiguration>${/<Status>\w+<\/Status>/.exec(state.get('versioning') ?? '')?.[0] ?? ''}</VersioningConfiguration>`,
  }),
  onBucket('GetPublicAccessBlock', 'GET', 'publicAccessBlock=', { needs: 'public-access-block' }),
  onBucket('PutPublicAccessBlock', 'PUT', 'publicAccessBlock=', {
    needs: 'public-access-block',
    trick: 'all blocked',
    body: () =>
      '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>',
  }),
  onBucket('DeletePublicAccessBlock', 'DELETE', 'publicAccessBlock=', { needs: 'public-access-block' }),
  onBucket('GetBucketPolicyStatus', 'GET', 'policyStatus=', { needs: 'bucket-policy' }),
  ...subresources.flatMap(({ word, names: [get, put, remove], needs, body }): readonly Attack[] => {
    const need = needs === undefined ? {} : { needs };
    return [
      onBucket(get, 'GET', `${word}=`, need),
      ...(put === undefined
        ? []
        : [
            onBucket(put, 'PUT', `${word}=`, {
              ...need,
              trick: 'what is there, or something harmless',
              body: (context) => context.state.get(word) ?? body(context),
            }),
          ]),
      ...(remove === undefined ? [] : [onBucket(remove, 'DELETE', `${word}=`, need)]),
    ];
  }),
  ...subresources.flatMap(({ word, names: [get, put], needs, body }) => {
    // Who changes the policy or the rules of its bucket rules over the fence around it. Nothing is removed: it would be gone.
    const own = (operation: string, method: 'GET' | 'PUT'): Attack => ({
      operation,
      trick: 'of the own bucket',
      expect: 'denied',
      when: 'other-bucket',
      ...(needs === undefined ? {} : { needs }),
      request: (context) => ({
        method,
        bucket: context.own.bucket,
        query: `${word}=`,
        body: method === 'GET' ? undefined : (context.ownState.get(word) ?? body({ ...context, victim: context.own })),
      }),
    });
    return [own(get, 'GET'), ...(put === undefined ? [] : [own(put, 'PUT')])];
  }),
  ...onlyOurs.map(([operation, method, query, body]) =>
    onBucket(operation, method, query, { knownTo: ['embedded'], body: () => body }),
  ),
  // Read only: what a PUT without them would do is not known everywhere.
  ...readings.map(([operation, query]) => onBucket(operation, 'GET', query, { knownTo: RGW_AND_OURS })),
  onBucket('PutBucketNotificationConfiguration', 'PUT', 'notification=', {
    trick: 'what is there, or none',
    knownTo: RGW_AND_OURS,
    // Ceph 16 looks at what is written before it looks at who writes, and takes none for malformed.
    expect: 'nothing',
    anonymous: false,
    leaks: ({ status }) => (status < 300 ? 'that it was written' : undefined),
    body: ({ state }) => state.get('notification') ?? '<NotificationConfiguration/>',
  }),
  onBucket('PutBucketRequestPayment', 'PUT', 'requestPayment=', {
    trick: 'the owner pays, as ever',
    knownTo: RGW_AND_OURS,
    body: () => '<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>',
  }),
  ...mixedWords.map(
    ([operation, query, root]): Attack => ({
      operation,
      trick: `asked for as ?${query}`,
      expect: 'nothing',
      when: 'same-bucket',
      request: ({ own }) => ({ method: 'GET', bucket: own.bucket, query }),
      leaks: ({ status, body }) => (status < 300 && root.test(body) ? `what ${operation} shows` : undefined),
    }),
  ),
];
