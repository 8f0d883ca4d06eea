import type { VersionEntry } from '../../store/port.ts';
import { noBody } from '../body.ts';
import { invalidArgument } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import type { Query } from '../query.ts';
import { xmlReply } from '../reply.ts';
import { isoDate } from '../wire/dates.ts';
import {
  commonPrefixXml,
  type NameEncoder,
  nameEncoder,
  ownerXml,
  parseEncoding,
  parsePageSize,
} from '../wire/listing.ts';
import { element, optional, xmlDocument } from '../wire/xml-out.ts';

export const listObjectVersions = defineOperation({
  name: 'ListObjectVersions',
  route: {
    method: 'GET',
    scope: 'bucket',
    query: { versions: true },
    allows: ['prefix', 'delimiter', 'key-marker', 'version-id-marker', 'max-keys', 'encoding-type'],
  },
  parse: ({ bucket, query }) => ({
    bucket,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    ...parseMarkers(query),
    limit: parsePageSize(query, 'max-keys'),
    encoding: parseEncoding(query),
  }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:ListBucketVersions', bucket }] },
  body: noBody,
  handle: async ({ bucket, prefix, delimiter, keyMarker, versionIdMarker, limit }, { store }) => {
    const { owner } = await store.bucket(bucket);
    const after =
      keyMarker === ''
        ? undefined
        : { key: keyMarker, versionId: versionIdMarker === '' ? undefined : versionIdMarker };
    return { owner, listing: await store.listVersions({ bucket, prefix, delimiter, after, limit }) };
  },
  write: ({ owner, listing }, { bucket, prefix, delimiter, keyMarker, versionIdMarker, limit, encoding }) => {
    const encode = nameEncoder(encoding);
    const truncated = listing.truncated && limit > 0;
    let content = `<Name>${bucket}</Name><Prefix>${encode(prefix)}</Prefix><KeyMarker>${encode(keyMarker)}</KeyMarker>`;
    content += element('VersionIdMarker', versionIdMarker);
    if (truncated) content += nextMarkers(listing.entries.at(-1), encode);
    content += element('MaxKeys', limit);
    content += delimiter === '' ? '' : `<Delimiter>${encode(delimiter)}</Delimiter>`;
    content += optional('EncodingType', encoding) + element('IsTruncated', truncated);
    const ownerPart = ownerXml('Owner', owner);
    let prefixes = '';
    for (const entry of listing.entries) {
      if (entry.kind === 'prefix') prefixes += commonPrefixXml(entry.prefix, encode);
      else content += versionXml(entry, encode, ownerPart);
    }
    return xmlReply(xmlDocument('ListVersionsResult', content + prefixes));
  },
});

/** @throws S3Error `InvalidArgument` */
function parseMarkers(query: Query): { readonly keyMarker: string; readonly versionIdMarker: string } {
  const keyMarker = query.get('key-marker') ?? '';
  const given = query.get('version-id-marker');
  if (given === '') throw invalidArgument('version-id-marker', '', 'A version-id marker cannot be empty.');
  if (given !== undefined && keyMarker === '') {
    throw invalidArgument('version-id-marker', given, 'A version-id marker cannot be specified without a key marker.');
  }
  return { keyMarker, versionIdMarker: given ?? '' };
}

function nextMarkers(last: VersionEntry | undefined, encode: NameEncoder): string {
  if (last === undefined) return '';
  if (last.kind === 'prefix') return `<NextKeyMarker>${encode(last.prefix)}</NextKeyMarker>`;
  return `<NextKeyMarker>${encode(last.key)}</NextKeyMarker>${element('NextVersionIdMarker', last.versionId)}`;
}

function versionXml(entry: Exclude<VersionEntry, { kind: 'prefix' }>, encode: NameEncoder, owner: string): string {
  const head =
    `<Key>${encode(entry.key)}</Key><VersionId>${entry.versionId}</VersionId><IsLatest>${entry.isLatest}</IsLatest>` +
    `<LastModified>${isoDate(entry.modified)}</LastModified>`;
  if (entry.kind === 'delete-marker') return `<DeleteMarker>${head}${owner}</DeleteMarker>`;
  const checksum =
    entry.checksumAlgorithm === undefined
      ? ''
      : element('ChecksumAlgorithm', entry.checksumAlgorithm) +
        element('ChecksumType', entry.checksumType ?? 'FULL_OBJECT');
  const tail = `<Size>${entry.size}</Size>${owner}<StorageClass>${entry.storageClass}</StorageClass>`;
  return `<Version>${head}<ETag>&quot;${entry.etag}&quot;</ETag>${checksum}${tail}</Version>`;
}
