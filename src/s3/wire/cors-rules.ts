import { S3Error } from '../errors.ts';
import { malformed, parseXml, textOf, type XmlElement } from './xml-in.ts';
import { element, optional } from './xml-out.ts';

export interface CorsRule {
  readonly id: string | undefined;
  /** With at most one `*`. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Header names, lower case, with at most one `*`. */
  readonly headers: readonly string[];
  readonly expose: readonly string[];
  readonly maxAgeSeconds: number | undefined;
}

/** User Guide, "Elements of a CORS configuration". */
const MAX_RULES = 100;
const MAX_ID = 255;
const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'HEAD']);

/**
 * The body of PutBucketCors.
 * @throws S3Error `MalformedXML`, `InvalidRequest`
 */
export function parseCorsRules(root: XmlElement | undefined): readonly CorsRule[] {
  if (root?.name !== 'CORSConfiguration') throw malformed();
  if (root.children.length === 0 || root.children.length > MAX_RULES) throw malformed();
  return root.children.map(parseRule);
}

function parseRule(rule: XmlElement): CorsRule {
  if (rule.name !== 'CORSRule') throw malformed();
  let id: string | undefined;
  let maxAge: string | undefined;
  const origins: string[] = [];
  const methods: string[] = [];
  const headers: string[] = [];
  const expose: string[] = [];
  for (const child of rule.children) {
    const text = textOf(child).trim();
    switch (child.name) {
      case 'ID':
        if (id !== undefined || text.length > MAX_ID) throw malformed();
        id = text;
        break;
      case 'MaxAgeSeconds':
        if (maxAge !== undefined || !/^\d{1,10}$/.test(text)) throw malformed();
        maxAge = text;
        break;
      case 'AllowedOrigin':
        origins.push(oneWildcard('AllowedOrigin', text));
        break;
      case 'AllowedMethod':
        if (!METHODS.has(text)) {
          throw invalid(`Found unsupported HTTP method in CORS config. Unsupported method is ${text}`);
        }
        methods.push(text);
        break;
      case 'AllowedHeader':
        headers.push(oneWildcard('AllowedHeader', text).toLowerCase());
        break;
      case 'ExposeHeader':
        expose.push(exposed(text));
        break;
      default:
        throw malformed();
    }
  }
  if (origins.length === 0 || methods.length === 0) throw malformed();
  return { id, origins, methods, headers, expose, maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge) };
}

function oneWildcard(name: string, text: string): string {
  if (text.indexOf('*') !== text.lastIndexOf('*')) {
    throw invalid(`${name} "${text.slice(0, 256)}" can not have more than one wildcard.`);
  }
  return text;
}

/** It is written into a response header, so only what a header name may hold (RFC 9110 section 5.6.2). */
function exposed(text: string): string {
  if (text.includes('*')) {
    throw invalid(
      `ExposeHeader "${text.slice(0, 256)}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
    );
  }
  if (!/^[!#$%&'+\-.^_`|~0-9A-Za-z]+$/.test(text)) throw malformed();
  return text;
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', message);
}

/** The content of a CORSConfiguration document, which is also how the rules are kept. */
export function corsRulesXml(rules: readonly CorsRule[]): string {
  const several = (name: string, values: readonly string[]) => values.map((value) => element(name, value)).join('');
  return rules
    .map(
      (rule) =>
        `<CORSRule>${optional('ID', rule.id)}${several('AllowedMethod', rule.methods)}${several('AllowedOrigin', rule.origins)}` +
        `${several('AllowedHeader', rule.headers)}${optional('MaxAgeSeconds', rule.maxAgeSeconds)}${several('ExposeHeader', rule.expose)}</CORSRule>`,
    )
    .join('');
}

/** What `corsRulesXml` wrote. */
export function keptCorsRules(kept: string): readonly CorsRule[] {
  return parseCorsRules(parseXml(Buffer.from(`<CORSConfiguration>${kept}</CORSConfiguration>`)));
}

export interface CorsQuestion {
  readonly origin: string;
  readonly method: string;
  /** Lower-case names of the headers that a preflight asks for. */
  readonly headers: readonly string[];
}

/** The first rule that allows this, and the origin to name in the answer. */
export function allowingRule(
  rules: readonly CorsRule[],
  { origin, method, headers }: CorsQuestion,
): { readonly rule: CorsRule; readonly allowOrigin: string } | undefined {
  for (const rule of rules) {
    const matched = rule.origins.find((pattern) => fits(pattern, origin));
    if (matched === undefined || !rule.methods.includes(method)) continue;
    if (!headers.every((name) => rule.headers.some((pattern) => fits(pattern, name)))) continue;
    return { rule, allowOrigin: matched === '*' ? '*' : origin };
  }
  return undefined;
}

/** No regular expression: patterns come from users. */
function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star === -1) return pattern === text;
  const prefix = pattern.slice(0, star);
  const suffix = pattern.slice(star + 1);
  return text.length >= prefix.length + suffix.length && text.startsWith(prefix) && text.endsWith(suffix);
}
