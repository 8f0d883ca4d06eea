import { type Exchange, type RawAnswer, type RawRequest, readXml } from '../../client/index.ts';
import type { Connection, Feature } from '../../providers/index.ts';
import { postForm } from './form.ts';
import type { Bait } from './model.ts';
import { send } from './send.ts';

/** What a tenant must be able to do with its own, or isolation was had by shutting it out. */
interface Duty {
  readonly operation: string;
  readonly needs?: Feature;
  request(bait: Bait, connection: Connection): RawRequest;
  /** Beyond a 2xx. */
  readonly holds?: (answer: RawAnswer, bait: Bait) => boolean;
}

const onKey =
  (method: RawRequest['method'], name: string, query = '', body?: string) =>
  (bait: Bait): RawRequest => ({
    method,
    bucket: bait.bucket,
    key: `${bait.folder}${name}`,
    query,
    body,
  });

const list =
  (query: string) =>
  (bait: Bait): RawRequest => ({
    method: 'GET',
    bucket: bait.bucket,
    query: `${query}prefix=${encodeURIComponent(bait.folder)}`,
  });

const showsBait = ({ body }: RawAnswer, { key }: Bait) => body.includes(key) || body.includes(encodeURIComponent(key));
const TAGS = '<Tagging><TagSet><Tag><Key>own</Key><Value>yes</Value></Tag></TagSet></Tagging>';

const duties: readonly Duty[] = [
  { operation: 'PutObject', request: onKey('PUT', 'works', '', 'works') },
  { operation: 'GetObject', request: onKey('GET', 'bait'), holds: ({ body }, { marker }) => body === marker },
  { operation: 'HeadObject', request: onKey('HEAD', 'bait') },
  { operation: 'ListObjectsV2', request: list('list-type=2&'), holds: showsBait },
  { operation: 'ListObjects', request: list(''), holds: showsBait },
  { operation: 'ListObjectVersions', request: list('versions=&'), holds: showsBait },
  {
    operation: 'ListObjectsV2 of the whole place',
    request: ({ bucket, prefix }) => ({
      method: 'GET',
      bucket,
      query: `list-type=2&max-keys=1${prefix === '' ? '' : `&prefix=${encodeURIComponent(prefix)}`}`,
    }),
  },
  { operation: 'GetBucketLocation', request: ({ bucket }) => ({ method: 'GET', bucket, query: 'location=' }) },
  {
    operation: 'CopyObject',
    request: (bait) => ({
      ...onKey('PUT', 'copy')(bait),
      headers: { 'x-amz-copy-source': `${bait.bucket}/${bait.key.split('/').map(encodeURIComponent).join('/')}` },
    }),
    holds: ({ body }) => readXml(body)?.name !== 'Error',
  },
  {
    operation: 'ListParts',
    request: (bait) => onKey('GET', 'unfinished', `uploadId=${encodeURIComponent(bait.uploadId)}`)(bait),
  },
  { operation: 'PutObjectTagging', needs: 'object-tagging', request: onKey('PUT', 'works', 'tagging=', TAGS) },
  {
    operation: 'GetObjectTagging',
    needs: 'object-tagging',
    request: onKey('GET', 'works', 'tagging='),
    holds: ({ body }) => body.includes('own'),
  },
  { operation: 'DeleteObjectTagging', needs: 'object-tagging', request: onKey('DELETE', 'works', 'tagging=') },
  {
    operation: 'presigned URL',
    request: (bait) => ({ ...onKey('GET', 'bait')(bait), presigned: 60 }),
    holds: ({ body }, { marker }) => body === marker,
  },
  {
    operation: 'PostObject',
    request: ({ bucket, folder }, connection) =>
      postForm(connection, { bucket, key: `${folder}form`, content: 'works' }),
  },
  { operation: 'DeleteObject', request: onKey('DELETE', 'works') },
  {
    operation: 'DeleteObjects',
    request: ({ bucket, folder }) => ({
      method: 'POST',
      bucket,
      query: 'delete=',
      body: `<Delete><Object><Key>${folder}copy</Key></Object></Delete>`,
    }),
    holds: ({ body }) => readXml(body)?.children.every(({ name }) => name !== 'Error') === true,
  },
];

export interface WorkResult {
  readonly operation: string;
  readonly works: boolean;
  readonly found: string;
}

/** Does with the tenant's own keys what it must be able to do in its own place, in this order. */
export async function* tryOwn(exchange: Exchange, bait: Bait, connection: Connection): AsyncGenerator<WorkResult> {
  const { features } = connection.provider;
  for (const { operation, needs, request, holds } of duties) {
    if (needs !== undefined && features[needs] !== 'yes') continue;
    const answer = await send(exchange, request(bait, connection));
    const works = answer.status < 300 && (holds === undefined || holds(answer, bait));
    const code = /<Code>(\w+)<\/Code>/.exec(answer.body)?.[1];
    yield { operation, works, found: `${answer.status}${code === undefined ? '' : ` ${code}`}` };
  }
}
