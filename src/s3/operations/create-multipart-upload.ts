import { parseAclHeaders } from '../acl/headers.ts';
import { newObjectAcl } from '../acl/written.ts';
import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { xmlReply } from '../reply.ts';
import { customerKeyHeaders, parseCustomerKey } from '../sse/customer-key.ts';
import { writeKept } from '../sse/kept.ts';
import { attributeChecks, parseAttributes } from '../wire/attributes.ts';
import { abortHeaders } from '../wire/lifecycle-headers.ts';
import { refuseUnsupportedWrite } from '../wire/refusals.ts';
import { parseUploadChecksums } from '../wire/upload-checksums.ts';
import { element, xmlDocument } from '../wire/xml-out.ts';

export const createMultipartUpload = defineOperation({
  name: 'CreateMultipartUpload',
  route: { method: 'POST', scope: 'object', query: { uploads: true } },
  parse: ({ bucket, key, headers }) => {
    refuseUnsupportedWrite(headers);
    return {
      bucket,
      key,
      customerKey: parseCustomerKey(headers),
      ...parseAttributes(headers),
      ...parseUploadChecksums(headers),
      wanted: parseAclHeaders(headers),
    };
  },
  access: {
    by: 'checks',
    of: (input) => [
      { action: 's3:PutObject', bucket: input.bucket, key: input.key },
      ...attributeChecks(input, input.bucket, input.key),
    ],
  },
  body: noBody,
  handle: async ({ customerKey, wanted, ...input }, context) => {
    const upload = await context.store.createUpload({
      ...input,
      acl: await newObjectAcl(wanted, input.bucket, input.key, context),
      ...(customerKey !== undefined && { sse: writeKept({ check: customerKey.check() }) }),
    });
    return { ...upload, abort: await abortHeaders(context.store, upload) };
  },
  write: ({ bucket, key, uploadId, checksumAlgorithm, checksumType, abort }, { customerKey }) => {
    const headers =
      checksumAlgorithm === undefined || checksumType === undefined
        ? []
        : ['x-amz-checksum-algorithm', checksumAlgorithm, 'x-amz-checksum-type', checksumType];
    const content = element('Bucket', bucket) + element('Key', key) + element('UploadId', uploadId);
    return xmlReply(xmlDocument('InitiateMultipartUploadResult', content), [
      ...headers,
      ...customerKeyHeaders(customerKey),
      ...abort,
    ]);
  },
});
