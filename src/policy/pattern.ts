import type { RequestContext } from './context.ts';

/** `*` any text, `?` one character; what a variable stands for is always taken literally. */
const ANY = 1;
const ONE = 2;
type Token = typeof ANY | typeof ONE | string | Variable;

interface Variable {
  /** In lower case up to a tag's name. */
  readonly key: string;
  readonly otherwise: string | undefined;
}

export interface Pattern {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly literal: boolean;
  readonly variables: readonly string[];
}

export interface PatternRules {
  readonly wildcards: boolean;
  /** `${aws:username}` and the escapes `${*}`, `${?}`, `${$}`; only in policies of version 2012-10-17. */
  readonly variables: boolean;
}

/** Compiles a pattern. What looks like a variable but is not closed is plain text, as in AWS. */
export function compilePattern(source: string, rules: PatternRules): Pattern {
  const tokens: Token[] = [];
  let text = '';
  const flush = () => {
    if (text !== '') tokens.push(text);
    text = '';
  };
  for (let at = 0; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (rules.wildcards && (char === '*' || char === '?')) {
      flush();
      if (char === '?') tokens.push(ONE);
      else if (tokens.at(-1) !== ANY) tokens.push(ANY);
      continue;
    }
    const end = rules.variables && char === '$' && source[at + 1] === '{' ? source.indexOf('}', at) : -1;
    if (end === -1) {
      text += char;
      continue;
    }
    const name = source.slice(at + 2, end);
    at = end;
    if (name === '*' || name === '?' || name === '$') text += name;
    else {
      flush();
      tokens.push(parseVariable(name));
    }
  }
  flush();
  const variables = tokens.flatMap((token) => (typeof token === 'object' ? [token.key] : []));
  return { source, tokens, literal: tokens.every((token) => typeof token === 'string'), variables };
}

/** `aws:username` or `aws:username, 'nobody'`. */
function parseVariable(text: string): Variable {
  const comma = text.indexOf(',');
  const key = normaliseKey((comma === -1 ? text : text.slice(0, comma)).trim());
  const given = comma === -1 ? undefined : text.slice(comma + 1).trim();
  return { key, otherwise: given === undefined ? undefined : given.replace(/^'(.*)'$/s, '$1') };
}

/** Condition keys compare without case, but S3's tag keys do not. */
export function normaliseKey(key: string): string {
  const slash = key.indexOf('/');
  return slash === -1 ? key.toLowerCase() : key.slice(0, slash).toLowerCase() + key.slice(slash);
}

/**
 * Whether the whole text matches. A variable that the request does not answer, or answers with several values, matches
 * nothing. Takes at most pattern × text steps whatever the pattern.
 */
export function matches(pattern: Pattern, text: string, context: RequestContext, ignoreCase = false): boolean {
  const resolved = resolve(pattern, context);
  if (resolved === undefined) return false;
  return ignoreCase ? glob(resolved.map(lower), text.toLowerCase()) : glob(resolved, text);
}

type Resolved = typeof ANY | typeof ONE | string;

function lower(token: Resolved): Resolved {
  return typeof token === 'string' ? token.toLowerCase() : token;
}

function resolve({ tokens }: Pattern, context: RequestContext): readonly Resolved[] | undefined {
  const resolved: Resolved[] = [];
  for (const token of tokens) {
    if (typeof token !== 'object') {
      resolved.push(token);
      continue;
    }
    const values = context(token.key);
    const value = values === undefined ? token.otherwise : values.length === 1 ? values[0] : undefined;
    if (value === undefined) return undefined;
    resolved.push(value);
  }
  return resolved;
}

/** Goes back only to the last `*`: what an earlier one took need never change. */
function glob(tokens: readonly Resolved[], text: string): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  for (;;) {
    const current = tokens[token];
    if (current === ANY) {
      star = token;
      starAt = at;
      token += 1;
      if (token === tokens.length) return true;
      continue;
    }
    if (current === undefined && at === text.length) return true;
    const taken = current === undefined ? -1 : take(current, text, at);
    if (taken !== -1) {
      at += taken;
      token += 1;
      continue;
    }
    if (star === -1 || starAt >= text.length) return false;
    starAt += 1;
    at = starAt;
    token = star + 1;
  }
}

/** How many UTF-16 units the token takes of the text here; -1: it does not match. `?` takes a whole code point. */
function take(token: string | typeof ONE, text: string, at: number): number {
  if (typeof token === 'string') return text.startsWith(token, at) ? token.length : -1;
  if (token !== ONE) return -1;
  const point = text.codePointAt(at);
  return point === undefined ? -1 : point > 0xffff ? 2 : 1;
}
