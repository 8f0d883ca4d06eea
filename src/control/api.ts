import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { BucketwrightError } from '../core/errors.ts';
import { KiB } from '../core/sizes.ts';
import { createAdmission } from './admission.ts';
import { openApiDocument } from './openapi.ts';
import type { ApiOptions } from './options.ts';
import { addReads } from './reads.ts';
import { statusOf } from './refusal.ts';
import { addWrites } from './writes.ts';

/** The HTTP API for nodes and for those who have no S3 keys. */
export function createArtifactApi(options: ApiOptions): Hono {
  const app = new Hono();
  const admission = createAdmission(options);
  const document = openApiDocument();

  app.get('/healthz', (context) => context.text('alive\n'));
  app.get('/v1/openapi.json', (context) => context.json(document));
  app.use(bodyLimit({ maxSize: 128 * KiB, onError: tooLong }));
  addReads(app, admission, options);
  addWrites(app, admission, options);

  app.notFound((context) =>
    context.json(
      { error: { code: 'no-such-route', message: 'there is no such route', advice: 'see /v1/openapi.json' } },
      404,
    ),
  );
  app.onError((error, context) => {
    const status = statusOf(error);
    if (!(error instanceof BucketwrightError) || status >= 500) {
      // The route and not the path, which may hold a ticket.
      options.log.error({ err: error, route: context.req.routePath }, 'a request failed');
    }
    if (!(error instanceof BucketwrightError)) {
      return context.json({ error: { code: 'unexpected', message: 'unexpected failure' } }, 500);
    }
    const { code, message, advice } = error;
    return context.json({ error: { code, message, advice } }, status);
  });
  return app;
}

const tooLong = (context: Context) =>
  context.json({ error: { code: 'usage', message: 'the body is too long', advice: 'see /v1/openapi.json' } }, 400);
