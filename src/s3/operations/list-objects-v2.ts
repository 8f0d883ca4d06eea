import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import type { Query } from '../query.ts';
import { xmlReply } from '../reply.ts';
import {
  decodeToken,
  encodeToken,
  entriesXml,
  lastName,
  nameEncoder,
  ownerXml,
  parseEncoding,
  parsePageSize,
} from '../wire/listing.ts';
import { optional, xmlDocument } from '../wire/xml-out.ts';

export const listObjectsV2 = defineOperation({
  name: 'ListObjectsV2',
  route: {
    method: 'GET',
    scope: 'bucket',
    query: { 'list-type': '2' },
    allows: ['prefix', 'delimiter', 'start-after', 'continuation-token', 'max-keys', 'fetch-owner', 'encoding-type'],
  },
  parse: ({ bucket, query }) => ({
    bucket,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    startAfter: query.get('start-after'),
    token: continuation(query),
    limit: parsePageSize(query, 'max-keys'),
    fetchOwner: query.get('fetch-owner') === 'true',
    encoding: parseEncoding(query),
  }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:ListBucket', bucket }] },
  body: noBody,
  handle: async ({ bucket, prefix, delimiter, startAfter, token, limit, fetchOwner }, { store }) => {
    const owner = fetchOwner ? (await store.bucket(bucket)).owner : undefined;
    // A token goes on where the last page ended, whatever start-after was.
    const after = token?.name ?? (startAfter === '' ? undefined : startAfter);
    return { owner, listing: await store.listObjects({ bucket, prefix, delimiter, after, limit }) };
  },
  write: ({ owner, listing }, { bucket, prefix, delimiter, startAfter, token, limit, encoding }) => {
    const encode = nameEncoder(encoding);
    const truncated = listing.truncated && limit > 0;
    const next = truncated ? lastName(listing.entries) : undefined;
    const head =
      `<Name>${bucket}</Name><Prefix>${encode(prefix)}</Prefix>` +
      (startAfter === undefined ? '' : `<StartAfter>${encode(startAfter)}</StartAfter>`) +
      optional('ContinuationToken', token?.text) +
      optional('NextContinuationToken', next === undefined ? undefined : encodeToken(next)) +
      `<KeyCount>${listing.entries.length}</KeyCount><MaxKeys>${limit}</MaxKeys>` +
      (delimiter === '' ? '' : `<Delimiter>${encode(delimiter)}</Delimiter>`) +
      optional('EncodingType', encoding) +
      `<IsTruncated>${truncated}</IsTruncated>`;
    const ownerPart = owner === undefined ? '' : ownerXml('Owner', owner);
    return xmlReply(xmlDocument('ListBucketResult', head + entriesXml(listing.entries, encode, ownerPart)));
  },
});

function continuation(query: Query): { readonly text: string; readonly name: string | undefined } | undefined {
  const text = query.get('continuation-token');
  if (text === undefined) return undefined;
  // From the beginning, as S3 has it.
  if (text === '') return { text, name: undefined };
  return { text, name: decodeToken('continuation-token', text) };
}
