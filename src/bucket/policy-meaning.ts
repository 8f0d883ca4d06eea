import type { Json, PolicyDocument } from './model.ts';

/** A statement whose lists are lists, sorted, and whose case-insensitive words are in lower case. */
export interface CanonicalStatement {
  readonly sid: string | undefined;
  readonly effect: string;
  /** `AWS arn:…`, `* *` for everybody. */
  readonly principals: readonly string[];
  readonly notPrincipals: readonly string[];
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly resources: readonly string[];
  readonly notResources: readonly string[];
  /** `StringLike s3:prefix = a | b`. */
  readonly conditions: readonly string[];
}

/**
 * The statements of a policy in one form for all spellings: one value or a list of one, `"*"` or `{"AWS": "*"}`, the case
 * of actions and condition names, the order of everything, numbers and booleans as text. Statement ids count: they are
 * what people find a statement by. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function canonicalPolicy(policy: PolicyDocument): readonly CanonicalStatement[] {
  return statementsOf(policy)
    .map((statement) => ({ statement, text: JSON.stringify(statement) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ statement }) => statement);
}

/** The same in the order in which they are written. */
export function statementsOf(policy: PolicyDocument): readonly CanonicalStatement[] {
  return listOf(policy.Statement).map(canonicalStatement);
}

function canonicalStatement(statement: Json): CanonicalStatement {
  const sid = textAt(statement, 'Sid');
  return {
    sid: sid === '' ? undefined : sid,
    effect: textAt(statement, 'Effect') ?? '',
    principals: principalsOf(memberOf(statement, 'Principal')),
    notPrincipals: principalsOf(memberOf(statement, 'NotPrincipal')),
    actions: lowerWords(memberOf(statement, 'Action')),
    notActions: lowerWords(memberOf(statement, 'NotAction')),
    resources: words(memberOf(statement, 'Resource')),
    notResources: words(memberOf(statement, 'NotResource')),
    conditions: conditionsOf(memberOf(statement, 'Condition')),
  };
}

function principalsOf(principal: Json | undefined): readonly string[] {
  if (principal === undefined) return [];
  if (!isMap(principal)) return words(principal).map((name) => (name === '*' ? '* *' : `AWS ${name}`));
  return Object.entries(principal)
    .flatMap(([kind, names]) => words(names).map((name) => (name === '*' ? '* *' : `${kind} ${name}`)))
    .sort();
}

function conditionsOf(condition: Json | undefined): readonly string[] {
  if (condition === undefined || !isMap(condition)) return [];
  return Object.entries(condition)
    .flatMap(([operator, keys]) =>
      isMap(keys)
        ? Object.entries(keys).map(([key, values]) => `${operator} ${key.toLowerCase()} = ${words(values).join(' | ')}`)
        : [],
    )
    .sort();
}

function words(value: Json | undefined): string[] {
  const list = listOf(value).map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)));
  return [...new Set(list)].sort();
}

/** Actions are the same in any case. */
const lowerWords = (value: Json | undefined): string[] =>
  [...new Set(words(value).map((word) => word.toLowerCase()))].sort();

export function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return isList(value) ? value : [value];
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

function isMap(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !isList(value);
}

export function memberOf(value: Json, key: string): Json | undefined {
  return isMap(value) ? value[key] : undefined;
}

function textAt(value: Json, key: string): string | undefined {
  const found = memberOf(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** Whether an action pattern (`s3:*`, `s3:Put*`) covers an action; both in any case. */
export function coversAction(pattern: string, action: string): boolean {
  return coversText(pattern.toLowerCase(), action.toLowerCase());
}

/** Wildcards `*` and `?`, in time linear in the text for each star. */
export function coversText(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (p < pattern.length && (pattern[p] === '?' || (pattern[p] === text[t] && pattern[p] !== '*'))) {
      p += 1;
      t += 1;
    } else if (pattern[p] === '*') {
      star = p;
      mark = t;
      p += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      t = mark;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
