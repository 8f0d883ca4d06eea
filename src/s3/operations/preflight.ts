import { noBody } from '../body.ts';
import { S3Error } from '../errors.ts';
import { defineOperation, type Operation } from '../operation.ts';
import type { Scope } from '../target.ts';

/** A browser's CORS question. No bucket has a CORS configuration yet, so the answer is S3's refusal. */
function preflight(scope: Scope): Operation {
  return defineOperation({
    name: scope === 'object' ? 'PreflightObject' : 'PreflightBucket',
    route: { method: 'OPTIONS', scope },
    parse: ({ headers }) => ({ origin: headers.origin, method: headers['access-control-request-method'] }),
    access: { by: 'anyone', why: 'browsers never sign a preflight, and it reveals nothing' },
    body: noBody,
    handle: async ({ origin, method }) => {
      if (origin === undefined || method === undefined) {
        throw new S3Error(
          'BadRequest',
          'Insufficient information. Origin and Access-Control-Request-Method request headers are needed.',
        );
      }
      throw new S3Error('AccessForbidden');
    },
    write: () => ({ status: 200 }),
  });
}

export const preflights: readonly Operation[] = [preflight('bucket'), preflight('object')];
