import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';

export const deleteBucket = defineOperation({
  name: 'DeleteBucket',
  route: { method: 'DELETE', scope: 'bucket' },
  parse: ({ bucket }) => ({ bucket }),
  access: { by: 'checks', of: ({ bucket }) => [{ action: 's3:DeleteBucket', bucket }] },
  body: noBody,
  handle: ({ bucket }, { store }) => store.deleteBucket(bucket),
  write: () => ({ status: 204 }),
});
