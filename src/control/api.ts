import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import type { z } from 'zod';
import { ArtifactError, type ArtifactStore, checkName, type Resolved } from '../artifacts/index.ts';
import { ClientError } from '../client/index.ts';
import type { Clock } from '../core/clock.ts';
import { BucketwrightError, UsageError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { openApiDocument, routes } from './openapi.ts';
import { RateLimit } from './rate-limit.ts';
import { FRESH, Resolver } from './resolver.ts';
import { findToken, mayRead, type Token } from './tokens.ts';

export interface ApiOptions {
  readonly store: (tenant: string | undefined) => ArtifactStore;
  readonly tokens: () => readonly Token[];
  /** Requests a second of one token; of one address without a token a tenth of it. */
  readonly rate: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where a request came from. */
  readonly addressOf: (context: Context) => string;
}

class Refusal extends BucketwrightError {
  static override readonly traced = false;
  readonly code: 'unauthorized' | 'forbidden' | 'too-many-requests';

  constructor(code: Refusal['code'], message: string, advice: string) {
    super(message, { advice });
    this.code = code;
  }
}

/** The read-only HTTP API for nodes. */
export function createArtifactApi(options: ApiOptions): Hono {
  const app = new Hono();
  const limit = new RateLimit(options.rate, options.clock);
  const strangers = new RateLimit(Math.max(1, options.rate / 10), options.clock);
  const resolvers = new Map<string | undefined, Resolver>();
  const document = openApiDocument();

  const admit = (context: Context): Token => {
    const token = findToken(options.tokens(), context.req.header('authorization'));
    const seconds = token === undefined ? strangers.take(options.addressOf(context)) : limit.take(token.id);
    if (seconds > 0) {
      context.header('Retry-After', String(seconds));
      throw new Refusal(
        'too-many-requests',
        'too many requests',
        `wait ${seconds} s; use wait= instead of asking often`,
      );
    }
    if (token !== undefined) return token;
    context.header('WWW-Authenticate', 'Bearer');
    throw new Refusal('unauthorized', 'no token, or an unknown one', 'send Authorization: Bearer TOKEN');
  };
  const reach = (token: Token, name: string): string => {
    // Before anything is looked up: a token learns nothing of names that it does not reach.
    if (mayRead(token, checkName(name))) return name;
    throw new Refusal('forbidden', 'this token does not reach this name', `it reaches ${token.names.join(', ')}`);
  };
  const resolverOf = ({ tenant }: Token): Resolver => {
    const known = resolvers.get(tenant) ?? new Resolver(options.store(tenant), options.clock);
    resolvers.set(tenant, known);
    return known;
  };

  app.get('/healthz', (context) => context.text('alive\n'));
  app.get('/v1/openapi.json', (context) => context.json(document));

  app.get(routes.resolve.path, async (context) => {
    const token = admit(context);
    const { reference, wait, expires } = query(context, routes.resolve.query);
    reach(token, /^[^:@]*/.exec(reference)?.[0] ?? '');
    const resolver = resolverOf(token);
    const known = context.req.header('if-none-match');
    const deadline = options.clock.now() + wait * 1000;
    let resolved = await resolver.resolve(reference);
    while (etagOf(resolved) === known && options.clock.now() < deadline && !context.req.raw.signal.aborted) {
      await sleep(Math.min(FRESH, Math.max(1, deadline - options.clock.now())));
      resolved = await resolver.resolve(reference);
    }
    context.header('ETag', etagOf(resolved));
    // Holds a signed URL.
    context.header('Cache-Control', 'private, no-store');
    if (etagOf(resolved) === known) return context.body(null, 304);
    const { artifact, entry } = resolved;
    const answer: z.output<typeof routes.resolve.answer> = {
      artifact: { ...artifact },
      ...(entry === undefined ? {} : { entry: publicEntry(entry) }),
      ...(await resolver.url(resolved, expires)),
    };
    return context.json(answer);
  });

  app.get(routes.names.path, async (context) => {
    const token = admit(context);
    const names: string[] = [];
    for await (const name of options.store(token.tenant).names()) if (mayRead(token, name)) names.push(name);
    return context.json({ names });
  });

  app.get(routes.versions.path, async (context) => {
    const token = admit(context);
    const name = reach(token, query(context, routes.versions.query).name);
    const versions = [];
    for await (const { version, pushed } of options.store(token.tenant).versions(name)) {
      versions.push({ version, pushed: pushed === undefined ? undefined : new Date(pushed).toISOString() });
    }
    return context.json({ versions });
  });

  app.get(routes.history.path, async (context) => {
    const token = admit(context);
    const { name, channel, limit: most } = query(context, routes.history.query);
    const entries = [];
    for await (const entry of options.store(token.tenant).history(reach(token, name), channel)) {
      entries.push(publicEntry(entry));
      if (entries.length >= most) break;
    }
    return context.json({ entries });
  });

  app.notFound((context) =>
    context.json(
      { error: { code: 'no-such-route', message: 'there is no such route', advice: 'see /v1/openapi.json' } },
      404,
    ),
  );
  app.onError((error, context) => {
    const status = statusOf(error);
    if (!(error instanceof BucketwrightError) || status >= 500) {
      options.log.error({ err: error, path: context.req.path }, 'a request failed');
    }
    if (!(error instanceof BucketwrightError)) {
      return context.json({ error: { code: 'unexpected', message: 'unexpected failure' } }, 500);
    }
    const { code, message, advice } = error;
    return context.json({ error: { code, message, advice } }, status);
  });
  return app;
}

function statusOf(error: unknown): 400 | 401 | 403 | 404 | 410 | 429 | 500 | 502 {
  if (error instanceof Refusal) {
    return ({ unauthorized: 401, forbidden: 403, 'too-many-requests': 429 } as const)[error.code];
  }
  if (error instanceof UsageError) return 400;
  if (error instanceof ClientError) return 502;
  if (!(error instanceof ArtifactError)) return 500;
  if (error.code === 'invalid') return 400;
  if (error.code === 'no-such-version' || error.code === 'no-such-channel') return 404;
  return error.code === 'content-missing' ? 410 : 502;
}

/** @throws UsageError */
function query<T extends z.ZodObject>(context: Context, schema: T): z.output<T> {
  const parsed = schema.safeParse(context.req.query());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${issue?.path.join('.') ?? 'query'}: ${issue?.message ?? 'wrong'}`, {
    advice: 'see /v1/openapi.json',
  });
}

const etagOf = ({ artifact, entry }: Resolved): string =>
  `"${artifact.digest.slice('sha256:'.length)}.${entry?.number ?? 0}"`;

function publicEntry({ number, action, version, digest, at, by, reason }: NonNullable<Resolved['entry']>) {
  return { number, action, version, digest, at, by, ...(reason === undefined ? {} : { reason }) };
}
