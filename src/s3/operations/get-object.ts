import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { parseObjectRead, READ_PARAMETERS, readHeaders, selectBytes } from '../wire/object-read.ts';

export const getObject = defineOperation({
  name: 'GetObject',
  route: { method: 'GET', scope: 'object', allows: READ_PARAMETERS },
  parse: parseObjectRead,
  access: { by: 'checks', of: ({ bucket, key }) => [{ action: 's3:GetObject', bucket, key }] },
  body: noBody,
  handle: async (input, { store }) => {
    const object = await store.openObject(input.bucket, input.key);
    try {
      const selection = selectBytes(input, object.info);
      if (selection.status === 304) await object.close();
      return { object, selection, headers: readHeaders(input, object.info, selection) };
    } catch (error) {
      await object.close();
      throw error;
    }
  },
  write: ({ object, selection, headers }) => {
    if (selection.status === 304) return { status: 304, headers };
    return { status: selection.status, headers, body: { object, start: selection.start, end: selection.end } };
  },
});
