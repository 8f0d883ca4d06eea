import { setTimeout as sleep } from 'node:timers/promises';
import type { Hono } from 'hono';
import type { z } from 'zod';
import type { Resolved } from '../artifacts/index.ts';
import type { Admission } from './admission.ts';
import { routes } from './openapi.ts';
import type { ApiOptions } from './options.ts';
import { mayRead, nameIn, queryOf } from './parsing.ts';
import { FRESH, Resolver } from './resolver.ts';
import { reaches, type Token } from './tokens.ts';

/** What only reads. */
export function addReads(app: Hono, admission: Admission, { store, clock }: ApiOptions): void {
  const resolvers = new Map<string | undefined, Resolver>();
  const resolverOf = ({ tenant }: Token): Resolver => {
    const known = resolvers.get(tenant) ?? new Resolver(store(tenant), clock);
    resolvers.set(tenant, known);
    return known;
  };

  app.get(routes.resolve.path, async (context) => {
    const token = admission.caller(context);
    const { reference, wait, expires } = queryOf(context, routes.resolve.query);
    mayRead(token, nameIn(reference));
    const resolver = resolverOf(token);
    const known = context.req.header('if-none-match');
    const deadline = clock.now() + wait * 1000;
    let resolved = await resolver.resolve(reference);
    while (etagOf(resolved) === known && clock.now() < deadline && !context.req.raw.signal.aborted) {
      await sleep(Math.min(FRESH, Math.max(1, deadline - clock.now())));
      resolved = await resolver.resolve(reference);
    }
    context.header('ETag', etagOf(resolved));
    // Holds a signed URL.
    context.header('Cache-Control', 'private, no-store');
    if (etagOf(resolved) === known) return context.body(null, 304);
    const { artifact, entry } = resolved;
    const answer: z.output<typeof routes.resolve.answer> = {
      artifact: { ...artifact },
      manifest: await resolver.manifest(resolved),
      ...(entry === undefined ? {} : { entry: publicEntry(entry) }),
      ...resolver.url(resolved, expires),
    };
    return context.json(answer);
  });

  app.get(routes.statements.path, async (context) => {
    const token = admission.caller(context);
    const { reference } = queryOf(context, routes.statements.query);
    mayRead(token, nameIn(reference));
    const { artifact } = await resolverOf(token).resolve(reference);
    const statements = [];
    for await (const envelope of store(token.tenant).envelopes(artifact)) statements.push(envelope);
    return context.json({ statements });
  });

  app.get(routes.names.path, async (context) => {
    const token = admission.caller(context);
    const names: string[] = [];
    for await (const name of store(token.tenant).names()) if (reaches(token.names, name)) names.push(name);
    return context.json({ names });
  });

  app.get(routes.versions.path, async (context) => {
    const token = admission.caller(context);
    const name = mayRead(token, queryOf(context, routes.versions.query).name);
    const versions = [];
    for await (const { version, pushed } of store(token.tenant).versions(name)) {
      versions.push({ version, pushed: pushed === undefined ? undefined : new Date(pushed).toISOString() });
    }
    return context.json({ versions });
  });

  app.get(routes.history.path, async (context) => {
    const token = admission.caller(context);
    const { name, channel, limit } = queryOf(context, routes.history.query);
    const entries = [];
    for await (const entry of store(token.tenant).history(mayRead(token, name), channel)) {
      entries.push(publicEntry(entry));
      if (entries.length >= limit) break;
    }
    return context.json({ entries });
  });
}

const etagOf = ({ artifact, entry }: Resolved): string =>
  `"${artifact.digest.slice('sha256:'.length)}.${entry?.number ?? 0}"`;

function publicEntry({ number, action, version, digest, at, by, reason }: NonNullable<Resolved['entry']>) {
  return { number, action, version, digest, at, by, ...(reason === undefined ? {} : { reason }) };
}
