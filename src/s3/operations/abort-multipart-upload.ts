import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';

export const abortMultipartUpload = defineOperation({
  name: 'AbortMultipartUpload',
  route: { method: 'DELETE', scope: 'object', query: { uploadId: true } },
  parse: ({ bucket, key, query }) => ({ bucket, key, uploadId: query.get('uploadId') ?? '' }),
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:AbortMultipartUpload', bucket, key }] },
  body: noBody,
  handle: ({ bucket, key, uploadId }, { store }) => store.abortUpload(bucket, key, uploadId),
  write: () => ({ status: 204 }),
});
