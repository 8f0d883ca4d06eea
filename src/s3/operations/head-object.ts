import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { requireSameKey } from '../sse/kept.ts';
import { expirationHeaders } from '../wire/lifecycle-headers.ts';
import { lockHeaders } from '../wire/object-lock.ts';
import { parseObjectRead, READ_PARAMETERS, readCheck, readHeaders, selectBytes } from '../wire/object-read.ts';

export const headObject = defineOperation({
  name: 'HeadObject',
  route: { method: 'HEAD', scope: 'object', allows: READ_PARAMETERS },
  parse: parseObjectRead,
  access: { by: 'checks', of: readCheck },
  body: noBody,
  handle: async (input, context) => {
    const info = await context.store.objectInfo(input.bucket, input.key, input.versionId);
    requireSameKey(info.sse, input.customerKey);
    const expiration = input.versionId === undefined ? await expirationHeaders(context.store, info) : [];
    return { info, selection: selectBytes(input, info), lock: await lockHeaders(info, context), expiration };
  },
  write: ({ info, selection, lock, expiration }, input) => {
    const headers = [...readHeaders(input, info, selection), ...lock, ...expiration];
    if (selection.status === 304) return { status: 304, headers };
    return { status: selection.status, headers, body: { length: selection.end - selection.start } };
  },
});
