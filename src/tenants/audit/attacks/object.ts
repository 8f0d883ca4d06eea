import type { RawRequest } from '../../../client/index.ts';
import type { Attack, AttackContext } from '../model.ts';

const onKey =
  (method: RawRequest['method'], query = '', more: Pick<RawRequest, 'body' | 'headers'> = {}) =>
  ({ victim }: AttackContext): RawRequest => ({ method, bucket: victim.bucket, key: victim.key, query, ...more });

const PLANTED = { body: 'planted by an attacker' } as const;
const TAGS = '<Tagging><TagSet><Tag><Key>stolen</Key><Value>yes</Value></Tag></TagSet></Tagging>';

/** Below the attacker's own prefix, so it is answered there, and must not climb out of it. */
const climbing = ({ own, victim }: AttackContext) => `${own.prefix}../${victim.key}`;

const deleteMany = (keys: readonly string[]) =>
  `<Delete>${keys.map((key) => `<Object><Key>${key.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</Key></Object>`).join('')}</Delete>`;

/** The same key written in other ways; a server that compares before it decodes is fooled. */
const encodings: readonly (readonly [trick: string, (key: string) => string])[] = [
  ['every byte encoded', (key) => everyByte(key)],
  ['slashes encoded', (key) => key.split('/').map(encodeURIComponent).join('%2F')],
  ['lower-case hexadecimal', (key) => everyByte(key).toLowerCase()],
];

const everyByte = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

const encoded = (operation: string, method: RawRequest['method'], body?: string): readonly Attack[] =>
  encodings.map(([trick, encode]) => ({
    operation,
    trick,
    expect: 'denied',
    request: ({ victim }) => ({ method, bucket: victim.bucket, encodedKey: encode(victim.key), query: '', body }),
  }));

const climbs = (operation: string, method: RawRequest['method'], body?: string): readonly Attack[] => [
  {
    operation,
    trick: '../ behind the own prefix',
    expect: 'nothing',
    when: 'same-bucket',
    request: (context) => ({ method, bucket: context.own.bucket, key: climbing(context), query: '', body }),
  },
  {
    operation,
    trick: '%2e%2e%2f behind the own prefix',
    expect: 'nothing',
    when: 'same-bucket',
    request: ({ own, victim }) => ({
      method,
      bucket: own.bucket,
      encodedKey: `${own.prefix}%2e%2e%2f${victim.key}`,
      query: '',
      body,
    }),
  },
];

const plain = (operation: string, trick: string, request: Attack['request'], more: Partial<Attack> = {}): Attack => ({
  operation,
  trick,
  expect: 'denied',
  anonymous: true,
  request,
  ...more,
});

export const objectAttacks: readonly Attack[] = [
  plain('GetObject', 'as it is', onKey('GET')),
  plain('GetObject', 'a range', onKey('GET', '', { headers: { range: 'bytes=0-3' } })),
  plain('GetObject', 'a part', onKey('GET', 'partNumber=1')),
  plain('GetObject', 'the version null', onKey('GET', 'versionId=null')),
  plain('GetObject', 'only if changed', onKey('GET', '', { headers: { 'if-none-match': '"0"' } })),
  ...encoded('GetObject', 'GET'),
  ...climbs('GetObject', 'GET'),
  plain('HeadObject', 'as it is', onKey('HEAD')),
  plain('HeadObject', 'the version null', onKey('HEAD', 'versionId=null')),
  ...encoded('HeadObject', 'HEAD'),
  plain(
    'GetObjectAttributes',
    'size and ETag',
    onKey('GET', 'attributes=', { headers: { 'x-amz-object-attributes': 'ETag,ObjectSize' } }),
  ),
  plain('PutObject', "over the victim's key", onKey('PUT', '', PLANTED)),
  plain('PutObject', "beside the victim's key", ({ victim }) => ({
    method: 'PUT',
    bucket: victim.bucket,
    key: `${victim.folder}planted`,
    query: '',
    ...PLANTED,
  })),
  plain('PutObject', 'only if absent', ({ victim }) => ({
    method: 'PUT',
    bucket: victim.bucket,
    key: `${victim.folder}planted`,
    query: '',
    headers: { 'if-none-match': '*' },
    ...PLANTED,
  })),
  ...encoded('PutObject', 'PUT', PLANTED.body),
  plain(
    'PutObject',
    'public by a canned ACL',
    onKey('PUT', '', { headers: { 'x-amz-acl': 'public-read' }, ...PLANTED }),
  ),
  plain('DeleteObject', 'as it is', onKey('DELETE')),
  plain('DeleteObject', 'the version null', onKey('DELETE', 'versionId=null')),
  ...encoded('DeleteObject', 'DELETE'),
  ...climbs('DeleteObject', 'DELETE'),
  plain('DeleteObjects', "the victim's key", ({ victim }) => ({
    method: 'POST',
    bucket: victim.bucket,
    query: 'delete=',
    body: deleteMany([victim.key]),
  })),
  plain('DeleteObjects', 'by its version', ({ victim }) => ({
    method: 'POST',
    bucket: victim.bucket,
    query: 'delete=',
    body: deleteMany([victim.key]).replace('</Key>', '</Key><VersionId>null</VersionId>'),
  })),
  {
    operation: 'DeleteObjects',
    trick: "by the own bucket's address",
    expect: 'nothing',
    when: 'other-bucket',
    request: ({ own, victim }) => ({
      method: 'POST',
      bucket: own.bucket,
      query: 'delete=',
      body: `<Delete><Quiet>true</Quiet><Object><Key>${own.prefix}../${victim.bucket}/${victim.key}</Key></Object></Delete>`,
    }),
  },
  plain('GetObjectTagging', 'as it is', onKey('GET', 'tagging='), { needs: 'object-tagging' }),
  plain('PutObjectTagging', 'as it is', onKey('PUT', 'tagging=', { body: TAGS }), { needs: 'object-tagging' }),
  plain('DeleteObjectTagging', 'as it is', onKey('DELETE', 'tagging='), { needs: 'object-tagging' }),
  plain('GetObjectAcl', 'as it is', onKey('GET', 'acl=')),
  plain('PutObjectAcl', 'public-read', onKey('PUT', 'acl=', { headers: { 'x-amz-acl': 'public-read' } })),
  {
    operation: 'PutObjectAcl',
    trick: 'an own object for everybody',
    expect: 'denied',
    request: ({ own }) => ({
      method: 'PUT',
      bucket: own.bucket,
      key: own.key,
      query: 'acl=',
      headers: { 'x-amz-acl': 'public-read' },
    }),
  },
  plain('GetObjectRetention', 'as it is', onKey('GET', 'retention='), { needs: 'object-lock' }),
  plain('GetObjectLegalHold', 'as it is', onKey('GET', 'legal-hold='), { needs: 'object-lock' }),
  plain(
    'PutObjectLegalHold',
    'off',
    onKey('PUT', 'legal-hold=', { body: '<LegalHold><Status>OFF</Status></LegalHold>' }),
    { needs: 'object-lock' },
  ),
  plain(
    'PutObjectRetention',
    'for a second, past governance',
    ({ victim }) => ({
      method: 'PUT',
      bucket: victim.bucket,
      key: victim.key,
      query: 'retention=',
      headers: { 'x-amz-bypass-governance-retention': 'true' },
      body: `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${new Date(Date.now() + 60_000).toISOString()}</RetainUntilDate></Retention>`,
    }),
    { needs: 'object-lock' },
  ),
];
