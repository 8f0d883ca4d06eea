import { fullObjectChecksum } from '../../checksum/index.ts';
import { noBody } from '../body.ts';
import { invalidArgument, S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { customerKeyHeaders, parseCustomerKey } from '../sse/customer-key.ts';
import { requireUploadKey } from '../sse/kept.ts';
import { decryptedObject } from '../sse/open.ts';
import { sealedBody } from '../sse/seal.ts';
import { copySourceConditions, evaluate } from '../wire/conditions.ts';
import { asSourceError, parseCopySource, sourceCheck, sourceVersionHeader } from '../wire/copy-source.ts';
import { isoDate } from '../wire/dates.ts';
import { parsePartNumber } from '../wire/object-read.ts';
import { parseCopyRange } from '../wire/ranges.ts';
import { refuseEncryption } from '../wire/refusals.ts';
import { element, xmlDocument } from '../wire/xml-out.ts';

const MAX_BYTES = 5 * 1024 ** 3;

export const uploadPartCopy = defineOperation({
  name: 'UploadPartCopy',
  route: {
    method: 'PUT',
    scope: 'object',
    query: { partNumber: true, uploadId: true },
    header: { 'x-amz-copy-source': true },
  },
  parse: ({ bucket, key, query, headers }) => {
    refuseEncryption(headers);
    const rangeHeader = headers['x-amz-copy-source-range'];
    const range = rangeHeader === undefined ? undefined : parseCopyRange(String(rangeHeader));
    if (rangeHeader !== undefined && range === undefined) {
      throw invalidArgument(
        'x-amz-copy-source-range',
        String(rangeHeader),
        'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      );
    }
    return {
      keys: { source: parseCustomerKey(headers, 'source'), target: parseCustomerKey(headers) },
      source: parseCopySource(headers),
      conditions: copySourceConditions(headers),
      range,
      bucket,
      key,
      uploadId: query.get('uploadId') ?? '',
      partNumber: parsePartNumber(query) ?? 0,
    };
  },
  access: {
    by: 'checks',
    of: ({ source, bucket, key }) => [sourceCheck(source), { action: 's3:PutObject', bucket, key }],
  },
  body: noBody,
  handle: async ({ keys, source, conditions, range, bucket, key, uploadId, partNumber }, { store }) => {
    const { checksumAlgorithm, sse } = await store.upload(bucket, key, uploadId);
    requireUploadKey(sse, keys.target);
    const stored = await store.openObject(source.bucket, source.key, source.versionId).catch((error: unknown) => {
      throw asSourceError(error);
    });
    try {
      const object = decryptedObject(stored, keys.source);
      const { size } = object.info;
      if (evaluate(conditions, object.info) !== 'holds') throw new S3Error('PreconditionFailed');
      const { start, end } = range ?? { start: 0, end: size };
      if (end > size)
        throw new S3Error('InvalidRange', `Range specified is not valid for source object of size: ${size}`);
      if (end - start > MAX_BYTES) throw new S3Error('EntityTooLarge');
      const bytes = object.inline?.subarray(start, end);
      const plain: Parameters<typeof sealedBody>[0] = {
        body: bytes === undefined ? { chunks: object.read(start, end), length: end - start } : { bytes },
        digests: checksumAlgorithm === undefined ? ['MD5'] : ['MD5', checksumAlgorithm],
        accept(digests) {
          const digest = checksumAlgorithm === undefined ? undefined : digests.get(checksumAlgorithm);
          if (checksumAlgorithm === undefined || digest === undefined) return undefined;
          return fullObjectChecksum(checksumAlgorithm, digest);
        },
      };
      const sealed = keys.target === undefined ? plain : sealedBody(plain, keys.target);
      const part = await store.putPart({ bucket, key, uploadId, partNumber, ...sealed });
      return { ...part, sourceVersion: object.info.versionId };
    } finally {
      await stored.close();
    }
  },
  write: ({ etag, modified, checksum, sourceVersion }, { keys }) =>
    xmlReply(
      xmlDocument(
        'CopyPartResult',
        `<LastModified>${isoDate(modified)}</LastModified><ETag>&quot;${etag}&quot;</ETag>` +
          (checksum === undefined ? '' : element(`Checksum${checksum.algorithm}`, checksum.value)),
      ),
      [...sourceVersionHeader(sourceVersion), ...customerKeyHeaders(keys.target)],
    ),
});
