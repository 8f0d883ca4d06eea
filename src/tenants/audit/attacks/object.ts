import { type RawRequest, readXml } from '../../../client/index.ts';
import type { Attack, AttackContext } from '../model.ts';

const onKey =
  (method: RawRequest['method'], query = '', more: Pick<RawRequest, 'body' | 'headers'> = {}) =>
  ({ victim }: AttackContext): RawRequest => ({ method, bucket: victim.bucket, key: victim.key, query, ...more });

const PLANTED = { body: 'planted by an attacker' } as const;
const TAGS = '<Tagging><TagSet><Tag><Key>stolen</Key><Value>yes</Value></Tag></TagSet></Tagging>';

const deleteMany = (keys: readonly string[]) =>
  `<Delete>${keys.map((key) => `<Object><Key>${key.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</Key></Object>`).join('')}</Delete>`;

const references = (text: string) => [...text].map((letter) => `&#${letter.codePointAt(0)};`).join('');

const saysDeleted: Attack['leaks'] = ({ body }, { victim }) => {
  const deleted = readXml(body)?.children.filter(({ name }) => name === 'Deleted') ?? [];
  const keys = deleted.flatMap(({ children }) => children.filter(({ name }) => name === 'Key'));
  return keys.some(({ text }) => text === victim.key) ? "the victim's key as deleted" : undefined;
};

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

/** Ways to climb out of the own prefix that a server might undo after it looked at the rights. */
const steps: readonly (readonly [trick: string, between: string])[] = [
  ['../', '../'],
  ['%2e%2e%2f', '%2e%2e%2f'],
  ['%252e%252e%252f', '%252e%252e%252f'],
  ['./../', './../'],
  ['..;/', '..;/'],
  ['..\\', '..%5c'],
  ['%c0%ae%c0%ae/', '%c0%ae%c0%ae/'],
  ['%00../', '%00../'],
];

const climbs = (operation: string, method: RawRequest['method'], body?: string): readonly Attack[] =>
  steps.map(([trick, between]) => ({
    operation,
    trick: `${trick} behind the own prefix`,
    expect: 'nothing',
    when: 'same-bucket',
    // No UTF-8: servers may read it in another way than it was signed.
    disguised: between.startsWith('%c0'),
    request: ({ own, victim }) => ({
      method,
      bucket: own.bucket,
      encodedKey: `${own.prefix}${between}${victim.key}`,
      query: '',
      body,
    }),
  }));

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
  plain('GetObjectTorrent', 'as it is', onKey('GET', 'torrent=')),
  // Ceph 16 dies of it, denied or not, or of the next upload form.
  plain(
    'SelectObjectContent',
    'all of a CSV',
    onKey('POST', 'select=&select-type=2', {
      body: '<SelectObjectContentRequest><Expression>select * from s3object</Expression><ExpressionType>SQL</ExpressionType><InputSerialization><CSV/></InputSerialization><OutputSerialization><CSV/></OutputSerialization></SelectObjectContentRequest>',
    }),
    { knownTo: ['embedded'] },
  ),
  plain(
    'RestoreObject',
    'for a day',
    onKey('POST', 'restore=', { body: '<RestoreRequest><Days>1</Days></RestoreRequest>' }),
    {
      knownTo: ['embedded'],
    },
  ),
  // Without a signature a server may refuse the words rather than the caller.
  plain('GetObject', 'with other headers in the answer', onKey('GET', 'response-content-type=text%2Fhtml'), {
    anonymous: false,
  }),
  plain(
    'GetObject',
    'a key that is not there',
    ({ victim }) => ({ method: 'GET', bucket: victim.bucket, key: `${victim.folder}none`, query: '' }),
    { oracle: true },
  ),
  plain(
    'GetObject',
    'two slashes before it',
    ({ victim }) => ({ method: 'GET', bucket: victim.bucket, encodedKey: `/${victim.key}`, query: '' }),
    { oracle: true },
  ),
  plain(
    'HeadObject',
    'a key that is not there',
    ({ victim }) => ({ method: 'HEAD', bucket: victim.bucket, key: `${victim.folder}none`, query: '' }),
    { oracle: true },
  ),
  plain(
    'PutObject',
    "over the victim's key, only if it is there",
    onKey('PUT', '', { headers: { 'if-match': '*' }, ...PLANTED }),
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
  plain(
    'DeleteObject',
    'past governance',
    onKey('DELETE', '', { headers: { 'x-amz-bypass-governance-retention': 'true' } }),
  ),
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
    trick: "the victim's key among own ones",
    expect: 'nothing',
    when: 'same-bucket',
    request: ({ own, victim }) => ({
      method: 'POST',
      bucket: own.bucket,
      query: 'delete=',
      body: deleteMany([`${own.folder}none`, victim.key, `${own.folder}none-2`]),
    }),
    leaks: saysDeleted,
  },
  {
    operation: 'DeleteObjects',
    trick: "the victim's key in character references, in silence",
    expect: 'nothing',
    when: 'same-bucket',
    request: ({ own, victim }) => ({
      method: 'POST',
      bucket: own.bucket,
      query: 'delete=',
      body: `<Delete><Quiet>true</Quiet><Object><Key>${own.folder}none</Key></Object><Object><Key>${references(victim.key)}</Key></Object></Delete>`,
    }),
    leaks: saysDeleted,
  },
  plain('DeleteObjects', 'past governance', ({ victim }) => ({
    method: 'POST',
    bucket: victim.bucket,
    query: 'delete=',
    headers: { 'x-amz-bypass-governance-retention': 'true' },
    body: deleteMany([victim.key]),
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
    { needs: 'object-lock', refusedFirst: { provider: 'minio', code: 'InvalidRequest' } },
  ),
];
