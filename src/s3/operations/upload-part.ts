import { fullObjectChecksum } from '../../checksum/index.ts';
import { streamBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { checksumHeaders } from '../wire/object-headers.ts';
import { parsePartNumber } from '../wire/object-read.ts';
import { refuseEncryption } from '../wire/refusals.ts';

export const uploadPart = defineOperation({
  name: 'UploadPart',
  route: { method: 'PUT', scope: 'object', query: { partNumber: true, uploadId: true } },
  parse: ({ bucket, key, query, headers }) => {
    refuseEncryption(headers);
    return { bucket, key, uploadId: query.get('uploadId') ?? '', partNumber: parsePartNumber(query) ?? 0 };
  },
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:PutObject', bucket, key }] },
  body: streamBody,
  handle: async ({ bucket, key, uploadId, partNumber }, { store }, body) => {
    const { checksumAlgorithm: wanted } = await store.upload(bucket, key, uploadId);
    const given = body.algorithm;
    if (wanted !== undefined && given !== undefined && given !== wanted) {
      throw new S3Error(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${wanted.toLowerCase()}, actual checksum Type: ${given.toLowerCase()}`,
      );
    }
    const part = { bucket, key, uploadId, partNumber };
    if (wanted === undefined || given !== undefined) return store.putPart({ ...part, ...body });
    // The upload wants a checksum and the client left this part's to us.
    return store.putPart({
      ...part,
      body: body.body,
      digests: body.digests.includes(wanted) ? body.digests : [...body.digests, wanted],
      accept(digests, size) {
        body.accept(digests, size);
        const digest = digests.get(wanted);
        return digest === undefined ? undefined : fullObjectChecksum(wanted, digest);
      },
    });
  },
  write: ({ etag, checksum }) => ({ status: 200, headers: ['ETag', `"${etag}"`, ...partChecksum(checksum)] }),
});

/** A part's checksum has no type of its own. */
function partChecksum(checksum: Parameters<typeof checksumHeaders>[0]): string[] {
  return checksumHeaders(checksum).slice(0, 2);
}
