import { noBody } from '../body.ts';
import { allowHeaders, corsRules } from '../cors.ts';
import { S3Error } from '../errors.ts';
import { defineOperation, type Operation } from '../operation.ts';
import type { Scope } from '../target.ts';
import { allowingRule } from '../wire/cors-rules.ts';

/** More header names than any page asks for. */
const MAX_HEADERS = 100;

/** A browser's CORS question, answered from the bucket's rules. The funnel adds `Vary` as to every cross-origin answer. */
function preflight(scope: Scope): Operation {
  return defineOperation({
    name: scope === 'object' ? 'PreflightObject' : 'PreflightBucket',
    route: { method: 'OPTIONS', scope },
    parse: ({ bucket, headers }) => {
      const { origin } = headers;
      if (origin === undefined) throw badRequest('Insufficient information. Origin request header needed.');
      const method = headers['access-control-request-method'];
      if (method === undefined) throw badRequest('Invalid Access-Control-Request-Method: null');
      const names = headers['access-control-request-headers'] ?? '';
      const wanted = names
        .split(',', MAX_HEADERS)
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== '');
      return { bucket, origin, method, headers: wanted };
    },
    access: { by: 'anyone', why: 'browsers never sign a preflight; it reveals what the CORS rules allow, as on AWS' },
    body: noBody,
    handle: async ({ bucket, ...question }, { store }) => {
      const rules = await corsRules(store, bucket);
      const elements = { Method: question.method, ResourceType: scope.toUpperCase() };
      if (rules === undefined) throw new S3Error('AccessForbidden', undefined, { elements });
      const allowed = allowingRule(rules, question);
      if (allowed === undefined) {
        throw new S3Error(
          'AccessForbidden',
          "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
          { elements },
        );
      }
      return allowed;
    },
    write: (allowed, { headers }) => ({
      status: 200,
      headers: [
        ...allowHeaders(allowed),
        ...(headers.length === 0 ? [] : ['Access-Control-Allow-Headers', headers.join(', ')]),
      ],
    }),
  });
}

function badRequest(message: string): S3Error {
  return new S3Error('BadRequest', message);
}

export const preflights: readonly Operation[] = [preflight('bucket'), preflight('object')];
