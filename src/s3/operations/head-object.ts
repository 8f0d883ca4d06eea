import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { parseObjectRead, READ_PARAMETERS, readHeaders, selectBytes } from '../wire/object-read.ts';

export const headObject = defineOperation({
  name: 'HeadObject',
  route: { method: 'HEAD', scope: 'object', allows: READ_PARAMETERS },
  parse: parseObjectRead,
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:GetObject', bucket, key }] },
  body: noBody,
  handle: async (input, { store }) => {
    const info = await store.objectInfo(input.bucket, input.key);
    return { info, selection: selectBytes(input, info) };
  },
  write: ({ info, selection }, input) => {
    const headers = readHeaders(input, info, selection);
    if (selection.status === 304) return { status: 304, headers };
    return { status: selection.status, headers, body: { length: selection.end - selection.start } };
  },
});
