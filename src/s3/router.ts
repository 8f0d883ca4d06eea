import type { IncomingHttpHeaders } from 'node:http';
import type { Operation, Route } from './operation.ts';
import type { Query } from './query.ts';
import { knownSubresources } from './subresources.ts';
import type { Scope } from './target.ts';

export type Match =
  | { readonly operation: Operation }
  | { readonly refuse: 'NotImplemented' | 'MethodNotAllowed'; readonly subject: string };

export type Router = (method: string, scope: Scope, query: Query, headers: IncomingHttpHeaders) => Match;

interface Candidate {
  readonly match: { readonly operation: Operation };
  readonly query: readonly (readonly [name: string, value: true | string])[];
  readonly headers: readonly string[];
  readonly claims: ReadonlySet<string>;
}

/** Signing parameters and the SDK's own label; present on any operation. */
const ALWAYS_ALLOWED = /^x-amz-|^x-id$/i;

/**
 * Compiles the table. More specific routes win whatever the order of the list. A subresource that a route neither needs
 * nor allows keeps a request away from it, so `DELETE /b?lifecycle` can never delete a bucket; a bare word that nobody
 * knows is taken for a subresource too.
 * @throws Error when two operations match the same requests
 */
export function compileRoutes(operations: readonly Operation[]): Router {
  const words = new Set(knownSubresources);
  const table = new Map<string, Candidate[]>();
  const seen = new Map<string, string>();
  for (const operation of operations) {
    const { route } = operation;
    const query = Object.entries(route.query ?? {});
    const headers = Object.keys(route.header ?? {});
    const claims = new Set([...query.map(([name]) => name), ...(route.allows ?? [])]);
    for (const word of claims) words.add(word);
    const identity = JSON.stringify([route.method, route.scope, query.toSorted(), headers.toSorted()]);
    const twin = seen.get(identity);
    if (twin !== undefined) throw new Error(`${operation.name} and ${twin} match the same requests`);
    seen.set(identity, operation.name);
    const place = placeOf(route.method, route.scope);
    const candidates = table.get(place) ?? [];
    candidates.push({ match: { operation }, query, headers, claims });
    candidates.sort((a, b) => weight(b.match.operation.route) - weight(a.match.operation.route));
    table.set(place, candidates);
  }
  const nothing: readonly Candidate[] = [];

  return (method, scope, query, headers) => {
    const candidates = table.get(placeOf(method, scope)) ?? nothing;
    // A preflight asks about a request with any query.
    const asked = query.size === 0 || method === 'OPTIONS' ? undefined : subresourcesIn(query, method, words);
    for (const candidate of candidates) {
      if (candidate.query.length > 0 && !candidate.query.every(([name, value]) => fits(query, name, value))) continue;
      if (candidate.headers.length > 0 && !candidate.headers.every((name) => headers[name] !== undefined)) continue;
      if (asked?.some((word) => !candidate.claims.has(word))) continue;
      return candidate.match;
    }
    const subject = asked?.find((word) => !candidates.some((candidate) => candidate.claims.has(word))) ?? asked?.[0];
    if (subject !== undefined) return { refuse: 'NotImplemented', subject: `${method} ?${subject}` };
    return { refuse: 'MethodNotAllowed', subject: method };
  };
}

function placeOf(method: string, scope: Scope): string {
  return `${method} ${scope}`;
}

function weight(route: Route): number {
  const values = Object.values(route.query ?? {});
  const exact = values.filter((value) => value !== true).length;
  return exact * 10_000 + values.length * 100 + Object.keys(route.header ?? {}).length;
}

function fits(query: Query, name: string, value: true | string): boolean {
  return value === true ? query.has(name) : query.get(name) === value;
}

/**
 * Reads ignore an unknown parameter that has a value, as S3 does (`?v=3` in a link); a write does not, because it might
 * be a subresource of a newer S3 and the bare operation something else altogether.
 */
function subresourcesIn(query: Query, method: string, words: ReadonlySet<string>): readonly string[] {
  const reads = method === 'GET' || method === 'HEAD';
  const asked: string[] = [];
  for (const [name, value] of query) {
    if (words.has(name) || (!ALWAYS_ALLOWED.test(name) && !(reads && value !== ''))) asked.push(name);
  }
  return asked;
}
