import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { parsePolicy } from '../../src/policy/index.ts';
import type { AccountUser, Credential } from '../../src/s3/index.ts';
import { presign } from '../../src/sigv4/index.ts';
import { type Answer, type Ask, owner, region, startService, type WireService } from './service.ts';

interface Key {
  readonly accessKeyId: string;
  readonly secret: Secret;
  readonly principal: string;
}
const key = (name: string, principal: string): Key => ({
  accessKeyId: `${name.toUpperCase()}KEY00000000`,
  secret: new Secret(`${name}-secret`),
  principal,
});

/** Alice may use her prefix of the bucket and nothing else: how tenants share a bucket on the embedded server. */
const ALICE = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['s3:*Object', 's3:*ObjectTagging', 's3:*MultipartUpload*', 's3:*ObjectAcl'],
      Resource: `arn:aws:s3:::bucket/tenants/\${aws:username}/*`,
    },
    {
      Effect: 'Allow',
      Action: ['s3:ListBucket', 's3:ListBucketVersions'],
      Resource: 'arn:aws:s3:::bucket',
      Condition: { StringLike: { 's3:prefix': `tenants/\${aws:username}/*` } },
    },
  ],
};
const alice = key('alice', 'root');
const carol = key('carol', 'root');
const other = key('other', 'other');
const member = key('member', 'other');

function user(name: string, account: string, policy: object | undefined, isOwner = false): AccountUser {
  const policies = policy === undefined ? [] : [parsePolicy(JSON.stringify(policy), { kind: 'identity' })];
  return { name, id: `AIDA${name}`, arn: `arn:aws:iam::${account}:user/${name}`, owner: isOwner, policies };
}
const known: readonly (readonly [Key, Credential])[] = [
  [owner, owner],
  [alice, { ...alice, user: user('alice', 'root', ALICE) }],
  [carol, { ...carol, user: user('carol', 'root', undefined) }],
  [other, { ...other, user: user('other', 'other', undefined, true) }],
  [member, { ...member, user: user('member', 'other', undefined) }],
];
const credentials = {
  find: (id: string) => known.find(([{ accessKeyId }]) => accessKeyId === id)?.[1],
};

let s3: WireService;
beforeAll(async () => {
  s3 = await startService({ credentials });
  await s3.ask('PUT', '/bucket');
  await s3.ask('PUT', '/bucket/tenants/alice/own', { body: 'of alice' });
  await s3.ask('PUT', '/bucket/tenants/bob/own', { body: 'of bob' });
});
afterAll(() => s3[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const word of ['policy', 'publicAccessBlock']) await s3.ask('DELETE', `/bucket?${word}`);
});

const statement = (fields: object) => ({
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::bucket/*',
  ...fields,
});
async function put(...statements: object[]): Promise<Answer> {
  const body = JSON.stringify({ Version: '2012-10-17', Statement: statements.map(statement) });
  return s3.ask('PUT', '/bucket?policy', { body });
}
type Asker = NonNullable<Ask['as']>;
const get = (as: Asker, target = '/bucket/tenants/bob/own', more: Ask = {}) => s3.ask('GET', target, { as, ...more });

describe('a user held to a prefix by its own policy', () => {
  it('does there what it may', async () => {
    expect((await get(alice, '/bucket/tenants/alice/own')).text).toBe('of alice');
    expect((await s3.ask('PUT', '/bucket/tenants/alice/new', { as: alice, body: 'x' })).status).toBe(200);
    expect((await get(alice, '/bucket?list-type=2&prefix=tenants/alice/')).text).toContain('tenants/alice/own');
    expect((await s3.ask('DELETE', '/bucket/tenants/alice/new', { as: alice })).status).toBe(204);
  });

  const denied: readonly (readonly [what: string, method: string, target: string, ask?: Ask])[] = [
    ['read', 'GET', '/bucket/tenants/bob/own'],
    ['head', 'HEAD', '/bucket/tenants/bob/own'],
    ['write', 'PUT', '/bucket/tenants/bob/own', { body: 'x' }],
    ['delete', 'DELETE', '/bucket/tenants/bob/own'],
    ['tags', 'GET', '/bucket/tenants/bob/own?tagging'],
    ['list', 'GET', '/bucket?list-type=2&prefix=tenants/bob/'],
    ['list without a prefix', 'GET', '/bucket?list-type=2'],
    ['list with an empty prefix', 'GET', '/bucket?list-type=2&prefix='],
    ['list by a shorter prefix', 'GET', '/bucket?list-type=2&prefix=tenants/'],
    ['list by a partial prefix', 'GET', '/bucket?list-type=2&prefix=tenants/alice'],
    ['list by a prefix in another case', 'GET', '/bucket?list-type=2&prefix=Tenants/Alice/'],
    ['list by a parameter in another case', 'GET', '/bucket?list-type=2&Prefix=tenants/alice/'],
    ['list by version 1', 'GET', '/bucket?prefix=tenants/bob/'],
    ['list with a start', 'GET', '/bucket?list-type=2&start-after=tenants/alice/'],
    ['list versions', 'GET', '/bucket?versions&prefix=tenants/bob/'],
    ['list uploads', 'GET', '/bucket?uploads'],
    ['a key in another case', 'GET', '/bucket/tenants/Alice/own'],
    ['a doubled slash', 'GET', '/bucket//tenants/alice/own'],
    ['an encoded slash', 'GET', '/bucket/tenants%2Fbob%2Fown'],
    ['an encoded name', 'GET', '/bucket/tenants/%62ob/own'],
    ['the parent of its prefix', 'GET', '/bucket/tenants/alice'],
    ['an upload in another prefix', 'POST', '/bucket/tenants/bob/new?uploads', { body: '' }],
    [
      'copy from another prefix',
      'PUT',
      '/bucket/tenants/alice/x',
      { headers: { 'x-amz-copy-source': '/bucket/tenants/bob/own' } },
    ],
    [
      'copy, encoded',
      'PUT',
      '/bucket/tenants/alice/x',
      { headers: { 'x-amz-copy-source': 'bucket%2Ftenants%2Fbob%2Fown' } },
    ],
    [
      'copy to another prefix',
      'PUT',
      '/bucket/tenants/bob/x',
      { headers: { 'x-amz-copy-source': '/bucket/tenants/alice/own' } },
    ],
    [
      'a header that names another version',
      'PUT',
      '/bucket/tenants/alice/x',
      { headers: { 'x-amz-copy-source': '/bucket/tenants/bob/own?versionId=null' } },
    ],
    ['the policy', 'GET', '/bucket?policy'],
    ['a policy of its own', 'PUT', '/bucket?policy', { body: '{}' }],
    ['the list of buckets', 'GET', '/'],
    ['a new bucket', 'PUT', '/alices-own'],
    ['the end of the bucket', 'DELETE', '/bucket'],
    [
      'versioning',
      'PUT',
      '/bucket?versioning',
      { body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' },
    ],
    [
      'ownership',
      'PUT',
      '/bucket?ownershipControls',
      { body: '<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>' },
    ],
  ];
  it.each(denied.map((row) => [row[0], row] as const))('%s is denied', async (_, [, method, target, ask = {}]) => {
    const answer = await s3.ask(method, target, { ...ask, as: alice });
    expect(answer.status, answer.text).toBe(403);
  });

  it('a parameter given twice is refused, whatever its spelling', async () => {
    for (const twice of ['prefix=tenants/alice/&prefix=', 'prefix=tenants/alice/&%70refix=tenants/bob/']) {
      expect((await get(alice, `/bucket?list-type=2&${twice}`)).status).toBe(400);
    }
  });

  it('dots are letters of a key: they lead nowhere', async () => {
    const target = '/bucket/tenants/alice/../bob/own';
    expect((await s3.ask('PUT', target, { as: alice, body: 'harmless' })).status).toBe(200);
    expect((await get(owner)).text).toBe('of bob');
    expect((await get(alice, '/bucket/tenants/alice/%2e%2e/bob/own')).text).toBe('harmless');
  });

  it('an upload of somebody else cannot be taken over by its id', async () => {
    const begun = await s3.ask('POST', '/bucket/tenants/bob/big?uploads', { body: '' });
    const id = /<UploadId>([^<]+)</.exec(begun.text)?.[1] ?? '';
    for (const target of [
      `/bucket/tenants/bob/big?partNumber=1&uploadId=${id}`,
      `/bucket/tenants/alice/big?partNumber=1&uploadId=${id}`,
    ]) {
      const answer = await s3.ask('PUT', target, { as: alice, body: 'x' });
      expect([403, 404]).toContain(answer.status);
    }
    expect((await s3.ask('DELETE', `/bucket/tenants/alice/big?uploadId=${id}`, { as: alice })).status).toBe(404);
    expect((await s3.ask('GET', `/bucket/tenants/bob/big?uploadId=${id}`)).status).toBe(200);
  });

  it('DeleteObjects deletes what is allowed and names what is not', async () => {
    await s3.ask('PUT', '/bucket/tenants/alice/gone', { body: 'x' });
    const body =
      '<Delete><Object><Key>tenants/alice/gone</Key></Object><Object><Key>tenants/bob/own</Key></Object></Delete>';
    const headers = { 'content-md5': (await import('node:crypto')).createHash('md5').update(body).digest('base64') };
    const { text } = await s3.ask('POST', '/bucket?delete', { as: alice, body, headers });
    expect(text).toContain('<Deleted><Key>tenants/alice/gone</Key></Deleted>');
    expect(text).toContain('<Error><Key>tenants/bob/own</Key><Code>AccessDenied</Code>');
    expect((await get(owner)).status).toBe(200);
  });

  it('a URL it presigned holds it to the same, and cannot be bent to another key', async () => {
    const signer = { accessKeyId: alice.accessKeyId, secret: alice.secret, region, now: Date.now() };
    const headers = { host: `127.0.0.1:${s3.port}` };
    const query = (rawPath: string) => presign({ method: 'GET', rawPath, rawQuery: '', headers }, 60, signer);
    const own = query('/bucket/tenants/alice/own');
    const bare: Ask = { as: 'anonymous' };
    expect((await s3.ask('GET', `/bucket/tenants/alice/own?${own}`, bare)).text).toBe('of alice');
    expect((await s3.ask('GET', `/bucket/tenants/bob/own?${own}`, bare)).code).toBe('SignatureDoesNotMatch');
    expect((await s3.ask('PUT', `/bucket/tenants/alice/own?${own}`, bare)).code).toBe('SignatureDoesNotMatch');
    expect((await s3.ask('GET', `/bucket/tenants/bob/own?${query('/bucket/tenants/bob/own')}`, bare)).code).toBe(
      'AccessDenied',
    );
  });

  it('is told why, and strangers are not', async () => {
    expect((await get(alice)).text).toContain(
      'User: arn:aws:iam::root:user/alice is not authorized to perform: s3:GetObject',
    );
    expect((await get(other)).text).toContain('<Message>Access Denied.</Message>');
  });

  it('does not learn which keys are there', async () => {
    for (const target of ['/bucket/tenants/bob/own', '/bucket/tenants/bob/nothing']) {
      expect((await get(alice, target)).code).toBe('AccessDenied');
    }
    expect((await get(alice, '/bucket/tenants/alice/nothing')).code).toBe('NoSuchKey');
  });
});

describe('bucket policies', () => {
  it('let anonymous callers do what they say and nothing more', async () => {
    expect((await get('anonymous')).status).toBe(403);
    expect((await put({})).status).toBe(204);
    expect((await get('anonymous')).text).toBe('of bob');
    expect((await get('anonymous', '/bucket/nothing')).code).toBe('AccessDenied');
    expect((await get('anonymous', '/bucket?list-type=2')).status).toBe(403);
    expect((await s3.ask('PUT', '/bucket/x', { as: 'anonymous', body: 'x' })).status).toBe(403);
    await put({}, { Action: 's3:ListBucket', Resource: 'arn:aws:s3:::bucket' });
    expect((await get('anonymous', '/bucket/nothing')).code).toBe('NoSuchKey');
  });

  it('an explicit deny wins over the own policy of a user, and over the owner', async () => {
    await put({ Effect: 'Deny', Action: 's3:*', Resource: ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/*'] });
    expect((await get(alice, '/bucket/tenants/alice/own')).text).toContain('explicit deny in a resource-based policy');
    expect((await get(owner)).status).toBe(403);
    expect((await s3.ask('DELETE', '/bucket?policy', { as: alice })).status).toBe(403);
    expect((await s3.ask('GET', '/bucket?policy')).status).toBe(200);
    expect((await s3.ask('DELETE', '/bucket?policy')).status).toBe(204);
    expect((await get(owner)).status).toBe(200);
  });

  it('within the account a user that is named needs no policy of its own; its account alone is not enough', async () => {
    await put({ Principal: { AWS: 'arn:aws:iam::root:user/carol' } });
    expect((await get(carol)).status).toBe(200);
    await put({ Principal: { AWS: 'arn:aws:iam::root:root' } });
    expect((await get(carol)).status).toBe(403);
  });

  it('from another account both sides must allow', async () => {
    await put({ Principal: { AWS: 'other' } });
    expect((await get(other)).status).toBe(200);
    expect((await get(member)).status).toBe(403);
    await put({ Principal: { AWS: 'arn:aws:iam::other:user/member' } });
    expect((await get(member)).status).toBe(403);
    expect((await get(other)).status).toBe(403);
  });

  it('conditions on the connection, the headers and the signature', async () => {
    const only = async (Condition: object, ask: Ask = {}) => {
      expect((await put({ Condition })).status).toBe(204);
      return (await get('anonymous', undefined, ask)).status;
    };
    expect(await only({ IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } })).toBe(200);
    expect(await only({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } })).toBe(403);
    expect(await only({ Bool: { 'aws:SecureTransport': 'true' } })).toBe(403);
    const referer = { StringLike: { 'aws:Referer': 'https://example.com/*' } };
    expect(await only(referer)).toBe(403);
    expect(await only(referer, { headers: { referer: 'https://example.com/page' } })).toBe(200);
    expect(await only({ DateLessThan: { 'aws:CurrentTime': '2001-01-01T00:00:00Z' } })).toBe(403);
    // What a proxy says of the address is not believed.
    const forged = { headers: { 'x-forwarded-for': '10.0.0.1', 'x-real-ip': '10.0.0.1' } };
    expect(await only({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, forged)).toBe(403);
  });

  it('by tags of the object and of the request', async () => {
    await s3.ask('PUT', '/bucket/tagged', { body: 'x', headers: { 'x-amz-tagging': 'visibility=public' } });
    await put({ Condition: { StringEquals: { 's3:ExistingObjectTag/visibility': 'public' } } });
    expect((await get('anonymous', '/bucket/tagged')).status).toBe(200);
    expect((await get('anonymous')).status).toBe(403);
    await put({
      Action: ['s3:PutObject', 's3:PutObjectTagging'],
      Principal: { AWS: 'other' },
      Condition: { StringEquals: { 's3:RequestObjectTag/team': 'a' } },
    });
    const write = (headers: Record<string, string>) =>
      s3.ask('PUT', '/bucket/theirs', { as: other, body: 'x', headers });
    expect((await write({})).status).toBe(403);
    expect((await write({ 'x-amz-tagging': 'team=b' })).status).toBe(403);
    expect((await write({ 'x-amz-tagging': 'team=a' })).status).toBe(200);
    const tags = (team: string) =>
      `<Tagging><TagSet><Tag><Key>team</Key><Value>${team}</Value></Tag></TagSet></Tagging>`;
    expect((await s3.ask('PUT', '/bucket/theirs?tagging', { as: other, body: tags('b') })).status).toBe(403);
    expect((await s3.ask('PUT', '/bucket/theirs?tagging', { as: other, body: tags('a') })).status).toBe(200);
  });

  it('are read back byte for byte, and refused with a reason', async () => {
    const text = ` ${JSON.stringify({ Version: '2012-10-17', Statement: statement({}) })}\n`;
    expect((await s3.ask('PUT', '/bucket?policy', { body: text })).status).toBe(204);
    expect((await s3.ask('GET', '/bucket?policy')).text).toBe(text);
    expect(await put({ Action: 's3:GetObjekt' })).toMatchObject({ status: 400, code: 'MalformedPolicy' });
    expect(await s3.ask('PUT', '/bucket?policy', { body: 'no' })).toMatchObject({ code: 'MalformedPolicy' });
    expect(await put({ Sid: 'x'.repeat(21_000) })).toMatchObject({ code: 'PolicyTooLarge' });
    expect((await s3.ask('GET', '/bucket?policy')).text).toBe(text);
  });
});

describe('the public access block', () => {
  const block = (...on: string[]) =>
    s3.ask('PUT', '/bucket?publicAccessBlock', {
      body: `<PublicAccessBlockConfiguration>${on.map((name) => `<${name}>true</${name}>`).join('')}</PublicAccessBlockConfiguration>`,
    });

  it('BlockPublicPolicy refuses a public policy and takes others', async () => {
    expect((await block('BlockPublicPolicy')).status).toBe(200);
    expect((await put({})).code).toBe('AccessDenied');
    expect((await put({ Principal: { AWS: 'other' } })).status).toBe(204);
  });

  it('RestrictPublicBuckets lets nobody in from outside by a public policy, whom else it names', async () => {
    await put({}, { Principal: { AWS: 'other' } });
    await block('RestrictPublicBuckets');
    expect((await get('anonymous')).status).toBe(403);
    expect((await get(other)).status).toBe(403);
    expect((await get(carol)).status).toBe(200);
  });
});

describe('access control lists', () => {
  beforeAll(async () => {
    await s3.ask('PUT', '/lists', { headers: { 'x-amz-object-ownership': 'ObjectWriter' } });
  });
  const acl = (target: string, headers: Record<string, string>, as: Asker = owner) =>
    s3.ask('PUT', target, { headers, as });

  it('are refused where ownership is enforced', async () => {
    for (const target of ['/bucket?acl', '/bucket/tenants/bob/own?acl']) {
      expect((await acl(target, { 'x-amz-acl': 'public-read' })).code).toBe('AccessControlListNotSupported');
      expect((await acl(target, { 'x-amz-acl': 'bucket-owner-full-control' })).status).toBe(200);
      const { text } = await s3.ask('GET', target);
      expect(text).toContain('<ID>root</ID><DisplayName>root</DisplayName></Grantee><Permission>FULL_CONTROL');
    }
  });

  it('say who may read, write and change them', async () => {
    await s3.ask('PUT', '/lists/object', { body: 'x' });
    expect((await get(other, '/lists/object')).status).toBe(403);
    expect((await acl('/lists/object?acl', { 'x-amz-grant-read': 'id="other"' })).status).toBe(200);
    expect((await get(other, '/lists/object')).text).toBe('x');
    expect((await get(other, '/lists/object?acl')).status).toBe(403);
    expect((await get('anonymous', '/lists/object')).status).toBe(403);
    await acl('/lists/object?acl', { 'x-amz-acl': 'public-read' });
    expect((await get('anonymous', '/lists/object')).text).toBe('x');
    expect((await s3.ask('PUT', '/lists/theirs', { as: other, body: 'y' })).status).toBe(403);
    await acl('/lists?acl', { 'x-amz-acl': 'public-read-write' });
    expect((await s3.ask('PUT', '/lists/theirs', { as: other, body: 'y' })).status).toBe(200);
    expect((await acl('/lists?acl', { 'x-amz-acl': 'private' }, other)).status).toBe(403);
    await s3.ask('PUT', '/lists?acl', { headers: { 'x-amz-acl': 'private' } });
  });

  it('what another account wrote is its own: the bucket owner may delete it, not read it', async () => {
    expect((await get(owner, '/lists/theirs')).status).toBe(403);
    expect((await get(other, '/lists/theirs?acl')).text).toContain('<Owner><ID>other</ID>');
    expect((await s3.ask('DELETE', '/lists/theirs')).status).toBe(204);
  });

  it('an upload may be listed and aborted by the account that began it, and by no other', async () => {
    const begin = async (as: Asker) => {
      const { text } = await s3.ask('POST', '/lists/upload?uploads', { as });
      return `/lists/upload?uploadId=${/<UploadId>([^<]+)</.exec(text)?.[1]}`;
    };
    await acl('/lists?acl', { 'x-amz-acl': 'public-read-write' });
    const [own, theirs] = [await begin(owner), await begin(other)];
    await acl('/lists?acl', { 'x-amz-acl': 'private' });
    for (const method of ['GET', 'DELETE']) {
      expect((await s3.ask(method, own, { as: other })).status).toBe(403);
      expect((await s3.ask(method, theirs, { as: member })).status).toBe(403);
      expect((await s3.ask(method, theirs, { as: 'anonymous' })).status).toBe(403);
    }
    expect((await s3.ask('GET', theirs, { as: other })).status).toBe(200);
    expect((await s3.ask('DELETE', theirs, { as: other })).status).toBe(204);
    expect((await s3.ask('DELETE', own)).status).toBe(204);
  });

  it('no list lets a member of an account do what its own policies do not', async () => {
    await acl('/lists/object?acl', { 'x-amz-grant-full-control': 'id="other"' });
    expect((await get(other, '/lists/object')).status).toBe(200);
    expect((await get(member, '/lists/object')).status).toBe(403);
    await acl('/lists/object?acl', { 'x-amz-acl': 'private' });
  });

  it('IgnorePublicAcls and BlockPublicAcls', async () => {
    await acl('/lists/object?acl', { 'x-amz-acl': 'public-read' });
    const body =
      '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>';
    await s3.ask('PUT', '/lists?publicAccessBlock', { body });
    expect((await get('anonymous', '/lists/object')).status).toBe(403);
    expect((await acl('/lists/object?acl', { 'x-amz-acl': 'public-read' })).code).toBe('AccessDenied');
    expect(
      (await s3.ask('PUT', '/lists/new', { body: 'x', headers: { 'x-amz-acl': 'authenticated-read' } })).code,
    ).toBe('AccessDenied');
    await s3.ask('DELETE', '/lists?publicAccessBlock');
    expect((await get('anonymous', '/lists/object')).status).toBe(200);
  });

  it('broken and hostile lists', async () => {
    const put = (body: string) => s3.ask('PUT', '/lists?acl', { body });
    expect((await put('<AccessControlPolicy/>')).code).toBe('MalformedACLError');
    const grant = '<Grant><Grantee><ID>other</ID></Grantee><Permission>READ</Permission></Grant>';
    const list = (owner: string, grants: string) =>
      `<AccessControlPolicy><Owner><ID>${owner}</ID></Owner><AccessControlList>${grants}</AccessControlList></AccessControlPolicy>`;
    expect((await put(list('other', grant))).code).toBe('AccessDenied');
    expect((await put(list('root', grant.repeat(101)))).code).toBe('MalformedACLError');
    expect((await put(list('root', grant.replace('READ', 'ALL')))).code).toBe('MalformedACLError');
    expect((await acl('/lists?acl', { 'x-amz-acl': 'public' })).code).toBe('InvalidArgument');
    expect((await acl('/lists?acl', { 'x-amz-acl': 'private', 'x-amz-grant-read': 'id=other' })).code).toBe(
      'InvalidRequest',
    );
  });
});
