import { z } from 'zod';
import * as schemas from './schemas.ts';

export interface RouteFacts {
  readonly method: 'get' | 'post';
  /** With `{name}` where a step is given by the caller. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  /** `bytes`: no JSON, but content. */
  readonly answer: z.ZodType | 'bytes';
  /** Whether the caller says who it is; else a ticket in the request is its right. */
  readonly caller: boolean;
  /** Further statuses than 200 and those that every route has. */
  readonly statuses: Readonly<Record<string, string>>;
}

const get = { method: 'get', body: undefined, caller: true } as const;
const post = { method: 'post', query: undefined } as const;
const gone = { '404': 'No such version or channel', '410': 'Its content was removed' };
const writes = { '403': 'The caller may not do this, or the API only reads' };
const spent = { '403': 'The ticket is unknown, used, too old, or bound to another address' };

/** Every route of the API; only these are served. */
export const routes = {
  resolve: {
    ...get,
    path: '/v1/resolve',
    id: 'resolve',
    summary:
      'What a version, channel or digest means now, with a signed URL of its content. Long poll: If-None-Match and wait.',
    query: schemas.resolveQuery,
    answer: schemas.resolvedSchema,
    statuses: { '304': 'Still what the ETag says', ...gone },
  },
  statements: {
    ...get,
    path: '/v1/statements',
    id: 'statements',
    summary: 'The signed statements about an artifact.',
    query: schemas.statementsQuery,
    answer: schemas.statementsSchema,
    statuses: gone,
  },
  names: {
    ...get,
    path: '/v1/names',
    id: 'names',
    summary: 'The names that this caller may see.',
    query: undefined,
    answer: schemas.namesSchema,
    statuses: {},
  },
  versions: {
    ...get,
    path: '/v1/versions',
    id: 'versions',
    summary: 'The versions of a name.',
    query: schemas.versionsQuery,
    answer: schemas.versionsSchema,
    statuses: {},
  },
  history: {
    ...get,
    path: '/v1/history',
    id: 'history',
    summary: 'Where a channel was, newest first.',
    query: schemas.historyQuery,
    answer: schemas.historySchema,
    statuses: {},
  },
  grant: {
    ...post,
    path: '/v1/uploads',
    id: 'grantUpload',
    summary: 'Let somebody without keys upload one content and make one version of it.',
    body: schemas.grantBody,
    answer: schemas.grantSchema,
    caller: true,
    statuses: { ...writes, '409': 'The version is there as something else, or gc is removing its content' },
  },
  finish: {
    ...post,
    path: '/v1/uploads/finish',
    id: 'finishUpload',
    summary: 'Make the version of a ticket whose content has arrived. The ticket is the right to do so.',
    body: schemas.finishBody,
    answer: schemas.finishedSchema,
    caller: false,
    statuses: {
      ...spent,
      '409': 'The version is there as something else, or gc is removing its content',
      '410': 'The content has not arrived',
    },
  },
  link: {
    ...post,
    path: '/v1/links',
    id: 'makeLink',
    summary:
      'A link that can be used once, or from one address only: S3 has no such URLs, so this API sends the bytes.',
    body: schemas.linkBody,
    answer: schemas.linkSchema,
    caller: true,
    statuses: { ...writes, ...gone },
  },
  content: {
    ...get,
    path: '/v1/content/{ticket}',
    id: 'content',
    summary: 'The bytes that a link leads to. A link that can be used once is spent even if the download breaks.',
    query: undefined,
    answer: 'bytes',
    caller: false,
    statuses: { ...spent, '410': 'Its content was removed' },
  },
} as const satisfies Record<string, RouteFacts>;

const everywhere = {
  '400': 'The request is not as described here',
  '429': 'Too many requests: see Retry-After',
  '502': 'The object storage failed or refused',
};
const ofCallers = {
  '401': 'No token or signature, or one that is unknown, wrong, repeated or of another time',
  '403': 'The caller does not reach this name',
};

/** The OpenAPI 3.1 document, from the same schemas that the routes parse with. */
export function openApiDocument(): object {
  const components: Record<string, unknown> = {};
  const reference = (schema: z.ZodType, io: 'input' | 'output') => {
    const { id } = z.globalRegistry.get(schema) ?? {};
    if (id === undefined) throw new TypeError('a schema of the API has no id');
    const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io, reused: 'inline' });
    components[id] = rewrite(json);
    for (const [name, definition] of Object.entries($defs ?? {})) components[name] = rewrite(definition);
    return { 'application/json': { schema: { $ref: `#/components/schemas/${id}` } } };
  };
  const list: readonly RouteFacts[] = Object.values(routes);
  const paths: Record<string, Record<string, object>> = {};
  for (const { method, path, id, summary, query, body, answer, caller, statuses } of list) {
    const parameters = [
      ...Object.entries(query?.shape ?? {}).map(([name, schema]) => {
        const { $schema: _, description, ...json } = z.toJSONSchema(schema, { io: 'input' });
        return { name, in: 'query', required: !schema.safeParse(undefined).success, description, schema: json };
      }),
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
    ];
    const bytes = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
    const responses = {
      '200': { description: 'OK', content: answer === 'bytes' ? bytes : reference(answer, 'output') },
      ...Object.fromEntries(
        Object.entries({ ...everywhere, ...(caller ? ofCallers : {}), ...statuses }).map(([status, description]) => [
          status,
          status === '304' ? { description } : { description, content: reference(schemas.errorSchema, 'output') },
        ]),
      ),
    };
    paths[path] = {
      ...paths[path],
      [method]: {
        operationId: id,
        summary,
        parameters,
        ...(body === undefined ? {} : { requestBody: { required: true, content: reference(body, 'input') } }),
        responses,
        security: caller ? [{ token: [] }, { signature: [] }] : [],
      },
    };
  }
  const signature = {
    type: 'apiKey',
    in: 'header',
    name: 'Signature',
    description:
      'HTTP Message Signatures (RFC 9421), label sig: ("@method" "@authority" "@path" "@query"), with a body also "content-digest"; created, keyid, alg="ed25519", nonce, in this order.',
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Bucketwright artifacts', version: '1' },
    paths,
    components: { schemas: components, securitySchemes: { token: { type: 'http', scheme: 'bearer' }, signature } },
  };
}

/** zod writes `#/$defs/X`; OpenAPI has `#/components/schemas/X`. */
function rewrite(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewrite);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      if (key === 'id') return [];
      if (key === '$ref' && typeof inner === 'string') {
        return [[key, inner.replace('#/$defs/', '#/components/schemas/')]];
      }
      return [[key, rewrite(inner)]];
    }),
  );
}
