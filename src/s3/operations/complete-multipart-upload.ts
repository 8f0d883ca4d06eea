import { xmlBody } from '../body.ts';
import { invalidArgument } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { parseCustomerKey } from '../sse/customer-key.ts';
import { requireSameKey } from '../sse/kept.ts';
import { checksumXml, parseCompleteUpload } from '../wire/complete-upload.ts';
import { writeCondition } from '../wire/conditions.ts';
import { expirationHeaders } from '../wire/lifecycle-headers.ts';
import { parseStatedChecksum } from '../wire/upload-checksums.ts';
import { newVersionHeader } from '../wire/versions.ts';
import { element, escapeXml, urlEncode, xmlDocument } from '../wire/xml-out.ts';

/** 10,000 parts with SHA-256 each are about 2.5 MB. */
const MAX_BYTES = 4 * 1024 * 1024;

export const completeMultipartUpload = defineOperation({
  name: 'CompleteMultipartUpload',
  route: { method: 'POST', scope: 'object', query: { uploadId: true } },
  parse: ({ bucket, key, query, headers }) => ({
    bucket,
    key,
    uploadId: query.get('uploadId') ?? '',
    size: parseSize(headers['x-amz-mp-object-size']),
    condition: writeCondition(headers),
    host: headers.host ?? '',
    customerKey: parseCustomerKey(headers),
    headers,
  }),
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:PutObject', bucket, key }] },
  // The checksum headers of this request are about the object, not about the XML.
  body: xmlBody({ maxBytes: MAX_BYTES, required: true, checksums: 'ignored' }, parseCompleteUpload),
  handle: async ({ bucket, key, uploadId, size, condition, headers, customerKey }, { store }, parts) => {
    const upload = await store.upload(bucket, key, uploadId).catch((error: unknown) => {
      // A completed upload is gone, yet repeating its completion is answered; the store decides.
      if (headers['x-amz-checksum-type'] !== undefined) throw error;
      return { checksumAlgorithm: undefined, checksumType: undefined, sse: undefined };
    });
    // AWS does not need the key here, and many clients do not send it; a wrong one is a mistake.
    if (customerKey !== undefined && upload.sse !== undefined) requireSameKey(upload.sse, customerKey);
    const checksum = parseStatedChecksum(headers, upload, parts.length);
    const info = await store.completeUpload({ bucket, key, uploadId, parts, checksum, size, condition });
    return { info, expiration: await expirationHeaders(store, info) };
  },
  write: ({ info, expiration }, { host }) =>
    xmlReply(
      xmlDocument(
        'CompleteMultipartUploadResult',
        element('Location', `http://${host}/${info.bucket}/${urlEncode(info.key)}`) +
          element('Bucket', info.bucket) +
          element('Key', info.key) +
          `<ETag>&quot;${escapeXml(info.etag)}&quot;</ETag>` +
          checksumXml(info.checksum),
      ),
      [...newVersionHeader(info.versionId), ...expiration],
    ),
});

function parseSize(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined;
  const text = String(header);
  if (!/^\d{1,15}$/.test(text)) throw invalidArgument('x-amz-mp-object-size', text, 'The object size is not a number');
  return Number(text);
}
