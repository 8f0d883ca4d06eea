import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { KiB } from '../core/sizes.ts';
import { createAdmission } from './admission.ts';
import { askedOfNode } from './asked.ts';
import { openApiDocument, routes } from './openapi.ts';
import type { ApiOptions } from './options.ts';
import { addReads } from './reads.ts';
import { answerOf } from './refusal.ts';
import { createResolve } from './resolve.ts';
import { createResolvers } from './resolver.ts';
import { addWrites } from './writes.ts';

export interface ArtifactApi {
  readonly app: Hono;
  /** For Node's server; the same answers, and the route that is asked most often in half of the time. */
  listener(request: IncomingMessage, response: ServerResponse): void;
}

/** The HTTP API for nodes and for those who have no S3 keys. */
export function createArtifactApi(options: ApiOptions): ArtifactApi {
  const { log, store, clock } = options;
  const app = new Hono();
  const admission = createAdmission(options);
  const resolverOf = createResolvers(store, clock);
  const resolve = createResolve(admission, resolverOf, options);
  const document = openApiDocument();

  app.get('/healthz', (context) => context.text('alive\n'));
  app.get('/v1/openapi.json', (context) => context.json(document));
  // Of posts only: it makes a whole Request of what it looks at.
  app.post('/v1/*', bodyLimit({ maxSize: 128 * KiB, onError: tooLong }));
  addReads(app, resolve, admission, resolverOf, options);
  addWrites(app, admission, options);
  app.notFound((context) =>
    context.json(
      { error: { code: 'no-such-route', message: 'there is no such route', advice: 'see /v1/openapi.json' } },
      404,
    ),
  );
  app.onError((error, context) => {
    const { status, headers, body } = answerOf(error, log, context.req.routePath);
    return context.json(body, status, headers);
  });

  const others = getRequestListener(app.fetch);
  const { path } = routes.resolve;
  async function answerResolve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { status, headers, text } = await resolve(askedOfNode(request), () => response.closed);
      response.writeHead(status, text === null ? headers : { ...headers, 'content-length': Buffer.byteLength(text) });
      response.end(text ?? undefined);
    } catch (error) {
      const { status, headers, body } = answerOf(error, log, path);
      response.writeHead(status, { ...headers, 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    }
  }
  return {
    app,
    listener(request, response) {
      const { method, url = '' } = request;
      const isResolve =
        method === 'GET' && url.startsWith(path) && (url.length === path.length || url[path.length] === '?');
      void (isResolve ? answerResolve(request, response) : others(request, response));
    },
  };
}

// What is left of the body is not read: nothing else can come over this connection.
const tooLong = (context: Context) =>
  context.json({ error: { code: 'usage', message: 'the body is too long', advice: 'see /v1/openapi.json' } }, 400, {
    connection: 'close',
  });
