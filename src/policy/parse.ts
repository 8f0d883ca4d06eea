import { knownActions } from './actions.ts';
import { parseCondition } from './conditions.ts';
import type { RequestContext } from './context.ts';
import { PolicyError } from './errors.ts';
import { parseJson } from './json.ts';
import type { Condition, Match, Policy, Principals, Statement } from './model.ts';
import { compilePattern, matches } from './pattern.ts';
import { parsePrincipals } from './principals.ts';

/** Bytes of UTF-8 (S3 User Guide, "Policies and permissions"). */
export const MAX_POLICY_BYTES = 20 * 1024;

/** A bucket policy names principals and speaks of its own bucket; an identity policy does neither. */
export type PolicyKind = { readonly kind: 'bucket'; readonly bucket: string } | { readonly kind: 'identity' };

const VERSIONS = ['2012-10-17', '2008-10-17'];
const ELEMENTS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);
const RESOURCE = 'arn:aws:s3:::';
const nothing: RequestContext = () => undefined;

/**
 * Reads a policy document (IAM User Guide, "Grammar of the IAM JSON policy language") and refuses what could never mean
 * what its writer meant: unknown elements, operators, condition keys and actions, other buckets, and an Allow to everybody but somebody.
 * @throws PolicyError
 */
export function parsePolicy(text: string, kind: PolicyKind): Policy {
  const size = Buffer.byteLength(text);
  if (size > MAX_POLICY_BYTES) {
    throw new PolicyError('too-large', `The policy has ${size} bytes; ${MAX_POLICY_BYTES} are allowed`);
  }
  const document = object(parseJson(text), 'The policy');
  for (const name of Object.keys(document)) {
    if (!['Version', 'Id', 'Statement'].includes(name)) throw malformed(`Unknown field ${name}`, name);
  }
  const version = document.Version ?? '2008-10-17';
  if (typeof version !== 'string' || !VERSIONS.includes(version)) {
    throw malformed('The policy must contain a valid version string', 'Version');
  }
  if (document.Id !== undefined && typeof document.Id !== 'string') throw malformed('Id must be text', 'Id');
  const list = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  if (document.Statement === undefined || list.length === 0)
    throw malformed('Missing required field Statement', 'Statement');
  const keys = new Set<string>();
  const sids = new Set<string>();
  const statements = list.map((value: unknown, at) => {
    const fields = object(value, 'Each statement');
    const statement = parseStatement(fields, at, kind, version === '2012-10-17', keys);
    if (typeof fields.Sid === 'string' && fields.Sid !== '') {
      if (sids.has(fields.Sid)) throw malformed('Statement IDs (SID) in a single policy must be unique.', fields.Sid);
      sids.add(fields.Sid);
    }
    return statement;
  });
  return { id: document.Id, statements, keys };
}

function parseStatement(
  fields: Readonly<Record<string, unknown>>,
  at: number,
  kind: PolicyKind,
  variables: boolean,
  keys: Set<string>,
): Statement {
  for (const name of Object.keys(fields)) if (!ELEMENTS.has(name)) throw malformed(`Unknown field ${name}`, name);
  const { Sid, Effect } = fields;
  if (Sid !== undefined && typeof Sid !== 'string') throw malformed('Sid must be text', 'Sid');
  if (Effect !== 'Allow' && Effect !== 'Deny') throw malformed(`Invalid effect: ${String(Effect)}`, 'Effect');
  const principals = principalsOf(fields, kind, Effect);
  const actions = actionsOf(fields);
  const resources = resourcesOf(fields, kind, variables);
  for (const { variables: used } of resources.patterns) for (const key of used) keys.add(key);
  const conditions = conditionsOf(fields.Condition, variables, keys);
  const label = Sid === undefined || Sid === '' ? `statement ${at + 1}` : Sid;
  return { label, effect: Effect, principals, actions, resources, conditions };
}

function principalsOf(
  fields: Readonly<Record<string, unknown>>,
  { kind }: PolicyKind,
  effect: 'Allow' | 'Deny',
): Principals | undefined {
  const { Principal, NotPrincipal } = fields;
  if (kind === 'identity') {
    if (Principal === undefined && NotPrincipal === undefined) return undefined;
    throw malformed('Policy document should not specify a principal.', 'Principal');
  }
  if (Principal !== undefined && NotPrincipal !== undefined)
    throw malformed('Principal and NotPrincipal exclude each other', 'Principal');
  if (NotPrincipal !== undefined) {
    if (effect === 'Allow') throw malformed('Allow with NotPrincipal is not allowed.', 'NotPrincipal');
    return parsePrincipals(NotPrincipal, true);
  }
  if (Principal === undefined) throw malformed('Missing required field Principal', 'Principal');
  return parsePrincipals(Principal, false);
}

function actionsOf(fields: Readonly<Record<string, unknown>>): Match {
  const { negated, values } = either(fields, 'Action', 'NotAction');
  const patterns = values.map((value) => {
    if (value !== '*' && !/^[a-z0-9-]+:[a-z0-9*?]+$/i.test(value)) throw malformed('Policy has invalid action', value);
    const pattern = compilePattern(value.toLowerCase(), { wildcards: true, variables: false });
    // Of other services we know nothing; of S3 a name that nothing answers to is a slip.
    if (
      value.toLowerCase().startsWith('s3:') &&
      ![...knownActions].some((action) => matches(pattern, action, nothing))
    ) {
      throw malformed('Policy has invalid action', value);
    }
    return pattern;
  });
  return { negated, patterns };
}

function resourcesOf(fields: Readonly<Record<string, unknown>>, kind: PolicyKind, variables: boolean): Match {
  const { negated, values } = either(fields, 'Resource', 'NotResource');
  const patterns = values.map((value) => {
    const rest = value.startsWith(RESOURCE) ? value.slice(RESOURCE.length) : undefined;
    if (value !== '*' && (rest === undefined || rest === '' || rest.startsWith('/'))) {
      // An identity policy may speak of other services, which never match here.
      if (kind.kind === 'identity' && value.startsWith('arn:') && !value.startsWith('arn:aws:s3:')) {
        return compilePattern(value, { wildcards: true, variables });
      }
      throw malformed('Policy has invalid resource', value);
    }
    if (kind.kind === 'bucket' && rest !== undefined) {
      const bucket = compilePattern(rest.split('/', 1)[0] ?? '', { wildcards: true, variables: false });
      if (!matches(bucket, kind.bucket, nothing)) throw malformed('Policy has invalid resource', value);
    }
    return compilePattern(value, { wildcards: true, variables });
  });
  return { negated, patterns };
}

function conditionsOf(value: unknown, variables: boolean, keys: Set<string>): readonly Condition[] {
  if (value === undefined) return [];
  const conditions: Condition[] = [];
  for (const [operator, pairs] of Object.entries(object(value, 'Condition'))) {
    for (const [key, given] of Object.entries(object(pairs, `Condition ${operator}`))) {
      const values = (Array.isArray(given) ? given : [given]).map((entry: unknown) => {
        if (typeof entry === 'string') return entry;
        if (typeof entry === 'number' || typeof entry === 'boolean') return String(entry);
        throw malformed(`The values of ${operator} ${key} must be text`, key);
      });
      const parsed = parseCondition(operator, key, values, variables);
      for (const used of parsed.keys) keys.add(used);
      conditions.push(parsed.condition);
    }
  }
  return conditions;
}

/** An element or its `Not…` form, exactly one of which must be there. */
function either(fields: Readonly<Record<string, unknown>>, name: string, negatedName: string) {
  const [plain, negated] = [fields[name], fields[negatedName]];
  if (plain !== undefined && negated !== undefined)
    throw malformed(`${name} and ${negatedName} exclude each other`, name);
  if (plain === undefined && negated === undefined) throw malformed(`Missing required field ${name}`, name);
  return { negated: plain === undefined, values: strings(plain ?? negated, name) };
}

/** Text or a list of texts, at least one. @throws PolicyError */
export function strings(value: unknown, name: string): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((entry) => typeof entry === 'string');
  if (texts.length !== list.length || texts.length === 0)
    throw malformed(`${name} must be text or a list of texts`, name);
  return texts;
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(`${what} must be a JSON object`, what);
  }
  return Object.fromEntries(Object.entries(value));
}

function malformed(message: string, subject: string): PolicyError {
  return new PolicyError('malformed', message, subject.slice(0, 256));
}
