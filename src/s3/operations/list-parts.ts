import { ownerIn } from '../acl/model.ts';
import { noBody } from '../body.ts';
import { invalidArgument } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import type { Query } from '../query.ts';
import { xmlReply } from '../reply.ts';
import { isoDate } from '../wire/dates.ts';
import { abortHeaders } from '../wire/lifecycle-headers.ts';
import { ownerXml, parsePageSize } from '../wire/listing.ts';
import { element, optional, xmlDocument } from '../wire/xml-out.ts';

export const listParts = defineOperation({
  name: 'ListParts',
  route: {
    method: 'GET',
    scope: 'object',
    query: { uploadId: true },
    allows: ['max-parts', 'part-number-marker', 'encoding-type'],
  },
  parse: ({ bucket, key, query }) => ({
    bucket,
    key,
    uploadId: query.get('uploadId') ?? '',
    after: parseMarker(query),
    limit: parsePageSize(query, 'max-parts'),
  }),
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:ListMultipartUploadParts', bucket, key }] },
  body: noBody,
  handle: async (input, { store }) => {
    const upload = await store.upload(input.bucket, input.key, input.uploadId);
    const { owner: bucketOwner } = await store.bucket(input.bucket);
    const abort = await abortHeaders(store, upload);
    return { upload, owner: ownerIn(upload.acl, bucketOwner), page: await store.listParts(input), abort };
  },
  write: ({ upload, owner, page, abort }, { bucket, key, uploadId, after, limit }) => {
    const truncated = page.truncated && limit > 0;
    let content = element('Bucket', bucket) + element('Key', key) + element('UploadId', uploadId);
    content += ownerXml('Initiator', owner) + ownerXml('Owner', owner) + element('StorageClass', upload.storageClass);
    content += element('PartNumberMarker', after);
    content += optional('NextPartNumberMarker', page.parts.at(-1)?.number);
    content += element('MaxParts', limit) + element('IsTruncated', truncated);
    for (const { number, modified, etag, size, checksum } of page.parts) {
      const sum = checksum === undefined ? '' : element(`Checksum${checksum.algorithm}`, checksum.value);
      content += `<Part><PartNumber>${number}</PartNumber><LastModified>${isoDate(modified)}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${size}</Size>${sum}</Part>`;
    }
    content += optional('ChecksumAlgorithm', upload.checksumAlgorithm) + optional('ChecksumType', upload.checksumType);
    return xmlReply(xmlDocument('ListPartsResult', content), abort);
  },
});

function parseMarker(query: Query): number {
  const text = query.get('part-number-marker');
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,9}$/.test(text)) {
    throw invalidArgument('part-number-marker', text, 'Provided part-number-marker not an integer or within range');
  }
  return Number(text);
}
