import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { decryptedObject } from '../sse/open.ts';
import { expirationHeaders } from '../wire/lifecycle-headers.ts';
import { lockHeaders } from '../wire/object-lock.ts';
import { parseObjectRead, READ_PARAMETERS, readCheck, readHeaders, selectBytes } from '../wire/object-read.ts';

export const getObject = defineOperation({
  name: 'GetObject',
  route: { method: 'GET', scope: 'object', allows: READ_PARAMETERS },
  parse: parseObjectRead,
  access: { by: 'checks', of: readCheck },
  body: noBody,
  handle: async (input, context) => {
    const stored = await context.store.openObject(input.bucket, input.key, input.versionId);
    try {
      const selection = selectBytes(input, stored.info);
      const object = decryptedObject(stored, input.customerKey);
      if (selection.status === 304) await object.close();
      const lock = await lockHeaders(object.info, context);
      const expiration = input.versionId === undefined ? await expirationHeaders(context.store, object.info) : [];
      return { object, selection, headers: [...readHeaders(input, object.info, selection), ...lock, ...expiration] };
    } catch (error) {
      await stored.close();
      throw error;
    }
  },
  write: ({ object, selection, headers }) => {
    if (selection.status === 304) return { status: 304, headers };
    return { status: selection.status, headers, body: { object, start: selection.start, end: selection.end } };
  },
});
