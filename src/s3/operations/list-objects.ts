import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import {
  entriesXml,
  lastName,
  type NameEncoder,
  nameEncoder,
  ownerXml,
  parseEncoding,
  parsePageSize,
} from '../wire/listing.ts';
import { escapeXml, optional, xmlDocument } from '../wire/xml-out.ts';

/** Version 1, which older clients speak. */
export const listObjects = defineOperation({
  name: 'ListObjects',
  route: { method: 'GET', scope: 'bucket', allows: ['prefix', 'delimiter', 'marker', 'max-keys', 'encoding-type'] },
  parse: ({ bucket, query }) => ({
    bucket,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    marker: query.get('marker') ?? '',
    limit: parsePageSize(query, 'max-keys'),
    encoding: parseEncoding(query),
  }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:ListBucket', bucket }] },
  body: noBody,
  handle: async ({ bucket, prefix, delimiter, marker, limit }, { store }) => {
    const { owner } = await store.bucket(bucket);
    const after = marker === '' ? undefined : marker;
    return { owner, listing: await store.listObjects({ bucket, prefix, delimiter, after, limit }) };
  },
  write: ({ owner, listing }, { bucket, prefix, delimiter, marker, limit, encoding }) => {
    const encode = nameEncoder(encoding);
    const truncated = listing.truncated && limit > 0;
    // S3 names the next marker only with a delimiter; otherwise it is the last key.
    const next = truncated && delimiter !== '' ? lastName(listing.entries) : undefined;
    const head =
      `<Name>${bucket}</Name><Prefix>${echoedPrefix(prefix, encode)}</Prefix><Marker>${encode(marker)}</Marker>` +
      (next === undefined ? '' : `<NextMarker>${encode(next)}</NextMarker>`) +
      `<MaxKeys>${limit}</MaxKeys>` +
      (delimiter === '' ? '' : `<Delimiter>${encode(delimiter)}</Delimiter>`) +
      optional('EncodingType', encoding) +
      `<IsTruncated>${truncated}</IsTruncated>`;
    return xmlReply(
      xmlDocument('ListBucketResult', head + entriesXml(listing.entries, encode, ownerXml('Owner', owner))),
    );
  },
});

/**
 * botocore decodes all names of this answer but the prefix that it asked for, so that one stays as it was, unless XML has
 * no way to carry it.
 */
function echoedPrefix(prefix: string, encode: NameEncoder): string {
  return /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(prefix) ? encode(prefix) : escapeXml(prefix);
}
