import type { Hono } from 'hono';
import type { Admission } from './admission.ts';
import { askedOf } from './asked.ts';
import { routes } from './openapi.ts';
import type { ApiOptions } from './options.ts';
import { mayRead, nameIn, queryOf } from './parsing.ts';
import { publicEntry, type Resolve } from './resolve.ts';
import type { ResolverOf } from './resolver.ts';
import { reaches } from './tokens.ts';

/** What only reads. */
export function addReads(
  app: Hono,
  resolve: Resolve,
  admission: Admission,
  resolverOf: ResolverOf,
  { store }: ApiOptions,
): void {
  app.get(routes.resolve.path, async (context) => {
    const { status, headers, text } = await resolve(askedOf(context), () => context.req.raw.signal.aborted);
    return text === null ? context.body(null, status, headers) : context.body(text, 200, headers);
  });

  app.get(routes.statements.path, async (context) => {
    const token = admission.caller(askedOf(context));
    const { reference } = queryOf(context, routes.statements.query);
    mayRead(token, nameIn(reference));
    const { artifact } = await resolverOf(token.tenant).resolve(reference);
    const statements = [];
    for await (const envelope of store(token.tenant).envelopes(artifact)) statements.push(envelope);
    return context.json({ statements });
  });

  app.get(routes.names.path, async (context) => {
    const token = admission.caller(askedOf(context));
    const names: string[] = [];
    for await (const name of store(token.tenant).names()) if (reaches(token.names, name)) names.push(name);
    return context.json({ names });
  });

  app.get(routes.versions.path, async (context) => {
    const token = admission.caller(askedOf(context));
    const name = mayRead(token, queryOf(context, routes.versions.query).name);
    const versions = [];
    for await (const { version, pushed } of store(token.tenant).versions(name)) {
      versions.push({ version, pushed: pushed === undefined ? undefined : new Date(pushed).toISOString() });
    }
    return context.json({ versions });
  });

  app.get(routes.history.path, async (context) => {
    const token = admission.caller(askedOf(context));
    const { name, channel, limit } = queryOf(context, routes.history.query);
    const entries = [];
    for await (const entry of store(token.tenant).history(mayRead(token, name), channel)) {
      entries.push(publicEntry(entry));
      if (entries.length >= limit) break;
    }
    return context.json({ entries });
  });
}
