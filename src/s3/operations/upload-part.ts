import { type ChecksumAlgorithm, type Digests, fullObjectChecksum } from '../../checksum/index.ts';
import { type StreamBody, streamBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation } from '../operation.ts';
import { customerKeyHeaders, parseCustomerKey } from '../sse/customer-key.ts';
import { requireUploadKey } from '../sse/kept.ts';
import { sealedBody } from '../sse/seal.ts';
import { checksumHeaders } from '../wire/object-headers.ts';
import { parsePartNumber } from '../wire/object-read.ts';
import { refuseEncryption } from '../wire/refusals.ts';

export const uploadPart = defineOperation({
  name: 'UploadPart',
  route: { method: 'PUT', scope: 'object', query: { partNumber: true, uploadId: true } },
  parse: ({ bucket, key, query, headers }) => {
    refuseEncryption(headers);
    return {
      bucket,
      key,
      uploadId: query.get('uploadId') ?? '',
      partNumber: parsePartNumber(query) ?? 0,
      customerKey: parseCustomerKey(headers),
    };
  },
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:PutObject', bucket, key }] },
  body: streamBody,
  handle: async ({ bucket, key, uploadId, partNumber, customerKey }, { store }, body) => {
    const { checksumAlgorithm: wanted, sse } = await store.upload(bucket, key, uploadId);
    requireUploadKey(sse, customerKey);
    const given = body.algorithm;
    if (wanted !== undefined && given !== undefined && given !== wanted) {
      throw new S3Error(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${wanted.toLowerCase()}, actual checksum Type: ${given.toLowerCase()}`,
      );
    }
    // The upload may want a checksum that the client left to us.
    const plain = wanted === undefined || given !== undefined ? body : withChecksum(body, wanted);
    const part = customerKey === undefined ? plain : sealedBody(plain, customerKey);
    return store.putPart({ bucket, key, uploadId, partNumber, ...part });
  },
  write: ({ etag, checksum }, { customerKey }) => ({
    status: 200,
    headers: ['ETag', `"${etag}"`, ...partChecksum(checksum), ...customerKeyHeaders(customerKey)],
  }),
});

function withChecksum({ body, digests, accept }: StreamBody, wanted: ChecksumAlgorithm) {
  return {
    body,
    digests: digests.includes(wanted) ? digests : [...digests, wanted],
    accept(computed: Digests, size: number) {
      accept(computed, size);
      const digest = computed.get(wanted);
      return digest === undefined ? undefined : fullObjectChecksum(wanted, digest);
    },
  };
}

/** A part's checksum has no type of its own. */
function partChecksum(checksum: Parameters<typeof checksumHeaders>[0]): string[] {
  return checksumHeaders(checksum).slice(0, 2);
}
