import type { IncomingHttpHeaders } from 'node:http';
import type { ObjectStore } from '../store/port.ts';
import { allowingRule, type CorsRule, keptCorsRules } from './wire/cors-rules.ts';

/** Parsed rules by their kept text; an unchanged configuration is the same string. */
const parsed = new Map<string, readonly CorsRule[]>();
const MAX_PARSED = 1000;

/** Undefined when the bucket has no CORS configuration. @throws StoreError `no-such-bucket` */
export async function corsRules(store: ObjectStore, bucket: string): Promise<readonly CorsRule[] | undefined> {
  const kept = await store.bucketConfiguration(bucket, 'cors');
  if (kept === undefined) return undefined;
  const known = parsed.get(kept);
  if (known !== undefined) return known;
  const rules = keptCorsRules(kept);
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(kept, rules);
  return rules;
}

/**
 * The CORS headers of an answer to a request with an Origin, flat (User Guide, "Using cross-origin resource sharing").
 * Errors get them as well, or a page could not read why it was refused; a bucket that does not exist has none. `Vary` is
 * there whether or not the origin is allowed: a shared cache must not hand one origin's answer to another.
 */
export async function corsHeaders(
  store: ObjectStore,
  bucket: string,
  method: string,
  headers: IncomingHttpHeaders,
): Promise<readonly string[]> {
  const { origin } = headers;
  if (origin === undefined) return [];
  const rules = await corsRules(store, bucket).catch(() => undefined);
  if (rules === undefined) return [];
  // The preflight's own answer says the rest.
  if (method === 'OPTIONS') return VARY;
  const asked = headers['access-control-request-method'];
  const allowed = allowingRule(rules, { origin, method: asked ?? method, headers: [] });
  return allowed === undefined ? VARY : [...allowHeaders(allowed), ...VARY];
}

const VARY = ['Vary', 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'];

/** What an allowed origin is told, flat; without `Vary`. */
export function allowHeaders({
  rule,
  allowOrigin,
}: {
  readonly rule: CorsRule;
  readonly allowOrigin: string;
}): readonly string[] {
  const out = ['Access-Control-Allow-Origin', allowOrigin, 'Access-Control-Allow-Methods', rule.methods.join(', ')];
  if (rule.expose.length > 0) out.push('Access-Control-Expose-Headers', rule.expose.join(', '));
  if (rule.maxAgeSeconds !== undefined) out.push('Access-Control-Max-Age', rule.maxAgeSeconds.toString());
  // Credentials and `*` do not go together (Fetch standard, "CORS check").
  if (allowOrigin !== '*') out.push('Access-Control-Allow-Credentials', 'true');
  return out;
}
