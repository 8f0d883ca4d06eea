import { after, type Eventually } from '../../core/eventually.ts';
import type { OpenObject } from '../../store/port.ts';
import { noBody } from '../body.ts';
import { type Context, defineOperation } from '../operation.ts';
import { decryptedObject } from '../sse/open.ts';
import {
  type ObjectRead,
  parseObjectRead,
  READ_PARAMETERS,
  readCheck,
  readHeaders,
  type Selection,
  selectBytes,
} from '../wire/object-read.ts';
import { extraHeaders } from '../wire/read-extras.ts';

interface Opened {
  readonly object: OpenObject;
  readonly selection: Selection;
  readonly headers: string[];
}

export const getObject = defineOperation({
  name: 'GetObject',
  route: { method: 'GET', scope: 'object', allows: READ_PARAMETERS },
  parse: parseObjectRead,
  access: { by: 'checks', of: readCheck },
  body: noBody,
  handle: (input, context): Eventually<Opened> => {
    const { bucket, key, versionId } = input;
    const { store } = context;
    const stored = store.instant?.openObject(bucket, key, versionId) ?? store.openObject(bucket, key, versionId);
    return after(stored, (object) => answer(input, object, context));
  },
  write: ({ object, selection, headers }) => {
    if (selection.status === 304) return { status: 304, headers };
    return { status: selection.status, headers, body: { object, start: selection.start, end: selection.end } };
  },
});

/** Closes the object where no body will be sent. */
function answer(input: ObjectRead, stored: OpenObject, context: Context): Eventually<Opened> {
  const refuse = (error: unknown): Eventually<never> =>
    after(stored.close(), () => {
      throw error;
    });
  try {
    const selection = selectBytes(input, stored.info);
    const object = decryptedObject(stored, input.customerKey);
    const opened = after(extraHeaders(input.versionId, object.info, context), (extras) => {
      const headers = readHeaders(input, object.info, selection);
      headers.push(...extras);
      const value = { object, selection, headers };
      return selection.status === 304 ? after(object.close(), () => value) : value;
    });
    return opened instanceof Promise ? opened.catch(refuse) : opened;
  } catch (error) {
    return refuse(error);
  }
}
