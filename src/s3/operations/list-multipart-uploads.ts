import { ownerIn } from '../acl/model.ts';
import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { isoDate } from '../wire/dates.ts';
import { commonPrefixXml, nameEncoder, ownerXml, parseEncoding, parsePageSize } from '../wire/listing.ts';
import { element, optional, xmlDocument } from '../wire/xml-out.ts';

export const listMultipartUploads = defineOperation({
  name: 'ListMultipartUploads',
  route: {
    method: 'GET',
    scope: 'bucket',
    query: { uploads: true },
    allows: ['prefix', 'delimiter', 'key-marker', 'upload-id-marker', 'max-uploads', 'encoding-type'],
  },
  parse: ({ bucket, query }) => ({
    bucket,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    keyMarker: query.get('key-marker') ?? '',
    uploadIdMarker: query.get('upload-id-marker') ?? '',
    limit: parsePageSize(query, 'max-uploads'),
    encoding: parseEncoding(query),
  }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:ListBucketMultipartUploads', bucket }] },
  body: noBody,
  handle: async ({ bucket, prefix, delimiter, keyMarker, uploadIdMarker, limit }, { store }) => {
    const { owner } = await store.bucket(bucket);
    // Without a key marker S3 ignores the upload's.
    const after =
      keyMarker === '' ? undefined : { key: keyMarker, uploadId: uploadIdMarker === '' ? undefined : uploadIdMarker };
    return { owner, listing: await store.listUploads({ bucket, prefix, delimiter, after, limit }) };
  },
  write: ({ owner, listing }, { bucket, prefix, delimiter, keyMarker, uploadIdMarker, limit, encoding }) => {
    const encode = nameEncoder(encoding);
    const truncated = listing.truncated && limit > 0;
    const last = listing.entries.at(-1);
    let content = `${element('Bucket', bucket)}<KeyMarker>${encode(keyMarker)}</KeyMarker>`;
    content += element('UploadIdMarker', keyMarker === '' ? '' : uploadIdMarker);
    if (truncated && last !== undefined) {
      content += `<NextKeyMarker>${encode(last.kind === 'prefix' ? last.prefix : last.upload.key)}</NextKeyMarker>`;
      content += element('NextUploadIdMarker', last.kind === 'prefix' ? '' : last.upload.uploadId);
    }
    content += delimiter === '' ? '' : `<Delimiter>${encode(delimiter)}</Delimiter>`;
    content += `<Prefix>${encode(prefix)}</Prefix>${optional('EncodingType', encoding)}`;
    content += element('MaxUploads', limit) + element('IsTruncated', truncated);
    let prefixes = '';
    for (const entry of listing.entries) {
      if (entry.kind === 'prefix') {
        prefixes += commonPrefixXml(entry.prefix, encode);
        continue;
      }
      const { key, uploadId, storageClass, initiated, checksumAlgorithm, checksumType, acl } = entry.upload;
      const uploader = ownerIn(acl, owner);
      content += `<Upload><Key>${encode(key)}</Key>${element('UploadId', uploadId)}${ownerXml('Initiator', uploader)}${ownerXml('Owner', uploader)}`;
      content += element('StorageClass', storageClass) + element('Initiated', isoDate(initiated));
      content += `${optional('ChecksumAlgorithm', checksumAlgorithm)}${optional('ChecksumType', checksumType)}</Upload>`;
    }
    return xmlReply(xmlDocument('ListMultipartUploadsResult', content + prefixes));
  },
});
