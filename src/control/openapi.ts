import { z } from 'zod';
import {
  errorSchema,
  historyQuery,
  historySchema,
  namesSchema,
  resolvedSchema,
  resolveQuery,
  versionsQuery,
  versionsSchema,
} from './schemas.ts';

export interface RouteFacts {
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly query: z.ZodObject | undefined;
  readonly answer: z.ZodType;
  /** Further statuses than 200 and those that every route has. */
  readonly statuses: Readonly<Record<string, string>>;
}

/** Every route of the API; `api.ts` serves just these. All are GET. */
export const routes = {
  resolve: {
    path: '/v1/resolve',
    id: 'resolve',
    summary:
      'What a version, channel or digest means now, with a signed URL of its content. Long poll: If-None-Match and wait.',
    query: resolveQuery,
    answer: resolvedSchema,
    statuses: {
      '304': 'Still what the ETag says',
      '404': 'No such version or channel',
      '410': 'Its content was removed',
    },
  },
  names: {
    path: '/v1/names',
    id: 'names',
    summary: 'The names that this token may see.',
    query: undefined,
    answer: namesSchema,
    statuses: {},
  },
  versions: {
    path: '/v1/versions',
    id: 'versions',
    summary: 'The versions of a name.',
    query: versionsQuery,
    answer: versionsSchema,
    statuses: {},
  },
  history: {
    path: '/v1/history',
    id: 'history',
    summary: 'Where a channel was, newest first.',
    query: historyQuery,
    answer: historySchema,
    statuses: {},
  },
} as const satisfies Record<string, RouteFacts>;

const everywhere = {
  '400': 'The request is not as described here',
  '401': 'No token, or an unknown one',
  '403': 'The token does not reach this name',
  '429': 'Too many requests: see Retry-After',
  '502': 'The object storage failed or refused',
};

/** The OpenAPI 3.1 document, from the same schemas that the routes parse with. */
export function openApiDocument(): object {
  const components: Record<string, unknown> = {};
  const reference = (schema: z.ZodType) => {
    const { id } = z.globalRegistry.get(schema) ?? {};
    if (id === undefined) throw new TypeError('a schema of the API has no id');
    const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io: 'output', reused: 'inline' });
    components[id] = rewrite(json);
    for (const [name, definition] of Object.entries($defs ?? {})) components[name] = rewrite(definition);
    return { 'application/json': { schema: { $ref: `#/components/schemas/${id}` } } };
  };
  const list: readonly RouteFacts[] = Object.values(routes);
  const paths = Object.fromEntries(
    list.map(({ path, id, summary, query, answer, statuses }) => {
      const parameters = Object.entries(query?.shape ?? {}).map(([name, schema]) => {
        const { $schema: _, description, ...json } = z.toJSONSchema(schema, { io: 'input' });
        return { name, in: 'query', required: !schema.safeParse(undefined).success, description, schema: json };
      });
      const responses = {
        '200': { description: 'OK', content: reference(answer) },
        ...Object.fromEntries(
          Object.entries({ ...statuses, ...everywhere }).map(([status, description]) => [
            status,
            status === '304' ? { description } : { description, content: reference(errorSchema) },
          ]),
        ),
      };
      return [path, { get: { operationId: id, summary, parameters, responses, security: [{ token: [] }] } }];
    }),
  );
  return {
    openapi: '3.1.0',
    info: { title: 'Bucketwright artifacts', version: '1' },
    paths,
    components: { schemas: components, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
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
