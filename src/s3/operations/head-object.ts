import { after } from '../../core/eventually.ts';
import { noBody } from '../body.ts';
import { defineOperation } from '../operation.ts';
import { requireSameKey } from '../sse/kept.ts';
import { parseObjectRead, READ_PARAMETERS, readCheck, readHeaders, selectBytes } from '../wire/object-read.ts';
import { extraHeaders } from '../wire/read-extras.ts';

export const headObject = defineOperation({
  name: 'HeadObject',
  route: { method: 'HEAD', scope: 'object', allows: READ_PARAMETERS },
  parse: parseObjectRead,
  access: { by: 'checks', of: readCheck },
  body: noBody,
  handle: (input, context) => {
    const { store } = context;
    return after((store.instant ?? store).objectInfo(input.bucket, input.key, input.versionId), (info) => {
      requireSameKey(info.sse, input.customerKey);
      const selection = selectBytes(input, info);
      return after(extraHeaders(input.versionId, info, context), (extras) => ({ info, selection, extras }));
    });
  },
  write: ({ info, selection, extras }, input) => {
    const headers = readHeaders(input, info, selection);
    headers.push(...extras);
    if (selection.status === 304) return { status: 304, headers };
    return { status: selection.status, headers, body: { length: selection.end - selection.start } };
  },
});
