import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { Resolved } from '../artifacts/index.ts';
import type { Admission } from './admission.ts';
import type { Asked } from './asked.ts';
import { routes } from './openapi.ts';
import type { ApiOptions } from './options.ts';
import { checked, mayRead, nameIn } from './parsing.ts';
import { FRESH, type ResolverOf, type SignedUrl } from './resolver.ts';

export interface Answer {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; null: no body. */
  readonly text: string | null;
}

export type Resolve = (asked: Asked, gone: () => boolean) => Promise<Answer>;

type Query = z.output<typeof routes.resolve.query>;
const MOST_QUERIES = 10_000;

/**
 * The route that nodes ask all the time. It knows neither Node's nor the Fetch API's requests, since making the latter takes most of
 * the time that it takes.
 */
export function createResolve(admission: Admission, resolverOf: ResolverOf, { clock }: ApiOptions): Resolve {
  // Nodes ask the same again and again; what a query means does not change.
  const queries = new Map<string, Query>();
  const queryOf = (target: string): Query => {
    const known = queries.get(target);
    if (known !== undefined) return known;
    const words = new URLSearchParams(target.slice(target.indexOf('?') + 1 || target.length));
    const query = checked(routes.resolve.query, Object.fromEntries(words));
    if (queries.size >= MOST_QUERIES) queries.clear();
    queries.set(target, query);
    return query;
  };

  return async (asked, gone) => {
    const token = admission.caller(asked);
    const { reference, wait, expires } = queryOf(asked.target);
    mayRead(token, nameIn(reference));
    const resolver = resolverOf(token.tenant);
    const known = asked.header('if-none-match');
    const deadline = clock.now() + wait * 1000;
    let resolved = await resolver.resolve(reference);
    let etag = etagOf(resolved);
    while (etag === known && clock.now() < deadline && !gone()) {
      await sleep(Math.min(FRESH, Math.max(1, deadline - clock.now())));
      resolved = await resolver.resolve(reference);
      etag = etagOf(resolved);
    }
    // Holds a signed URL.
    const headers = { etag, 'cache-control': 'private, no-store' };
    if (etag === known) return { status: 304, headers, text: null };
    const { artifact, entry } = resolved;
    const write = (manifest: string, url: SignedUrl): z.output<typeof routes.resolve.answer> => ({
      artifact: { ...artifact },
      manifest,
      ...(entry === undefined ? {} : { entry: publicEntry(entry) }),
      ...url,
    });
    const text = await resolver.answer(resolved, expires, write);
    return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, text };
  };
}

const etagOf = ({ artifact, entry }: Resolved): string =>
  `"${artifact.digest.slice('sha256:'.length)}.${entry?.number ?? 0}"`;

export function publicEntry({ number, action, version, digest, at, by, reason }: NonNullable<Resolved['entry']>) {
  return { number, action, version, digest, at, by, ...(reason === undefined ? {} : { reason }) };
}
