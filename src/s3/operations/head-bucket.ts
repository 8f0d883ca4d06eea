import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';

export const headBucket = defineOperation({
  name: 'HeadBucket',
  route: { method: 'HEAD', scope: 'bucket' },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:ListBucket', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.bucket(bucket),
  write: ({ region }) => ({
    status: 200,
    headers: ['x-amz-bucket-region', region, 'x-amz-access-point-alias', 'false', 'Content-Type', 'application/xml'],
  }),
});
