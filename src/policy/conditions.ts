import type { RequestContext } from './context.ts';
import { PolicyError } from './errors.ts';
import type { Condition } from './model.ts';
import { operatorNamed } from './operators.ts';
import { normaliseKey } from './pattern.ts';

/** Services whose keys a policy may name. Which names they have is for whoever answers them. */
const KEY = /^(?:aws|s3|s3express|sts|saml|jwt|ldap):[a-z0-9_.:-]+(?:\/.{1,256})?$/is;

/**
 * One operator's line of a Condition element.
 * @param variables whether `${…}` means anything (policy version 2012-10-17)
 * @throws PolicyError
 */
export function parseCondition(operator: string, key: string, values: readonly string[], variables: boolean) {
  const match = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/is.exec(operator);
  const quantifierName = match?.[1]?.toLowerCase();
  const name = match?.[2] ?? '';
  if (!KEY.test(key)) throw new PolicyError('malformed', `Policy has an invalid condition key: ${key}`, key);
  const normalised = normaliseKey(key);
  if (name.toLowerCase() === 'null') return nullCondition(operator, normalised, match?.[3] !== undefined, values);
  const found = operatorNamed(name);
  if (found === undefined) throw new PolicyError('malformed', `Invalid Condition type : ${operator}`, operator);
  const { test, keys } = found.compile(values, variables);
  const condition: Condition = {
    operator,
    key: normalised,
    quantifier: quantifierName === undefined ? undefined : quantifierName === 'forallvalues' ? 'all' : 'any',
    ifExists: match?.[3] !== undefined,
    test,
    negated: found.negated,
    null: false,
    values,
  };
  return { condition, keys: [normalised, ...keys] };
}

/** `Null`: "true" wants the key to be absent, "false" to be there. */
function nullCondition(operator: string, key: string, ifExists: boolean, values: readonly string[]) {
  const wanted = values.map((value) => value.toLowerCase());
  if (ifExists || wanted.some((value) => value !== 'true' && value !== 'false')) {
    throw new PolicyError('malformed', `Invalid Condition type : ${operator}`, operator);
  }
  const condition: Condition = {
    operator,
    key,
    quantifier: undefined,
    ifExists: false,
    test: (value) => wanted.includes(value),
    negated: false,
    null: true,
    values,
  };
  return { condition, keys: [key] };
}

/**
 * Whether a condition holds (IAM User Guide, "Condition operators" and "Set operators"). A missing key fails a plain
 * operator, satisfies a negated one, one with IfExists and ForAllValues.
 */
export function holds(condition: Condition, context: RequestContext): boolean {
  const values = context(condition.key);
  const there = values !== undefined && values.length > 0;
  if (condition.null) return condition.test(there ? 'false' : 'true', context);
  if (!there)
    return (
      condition.ifExists || condition.quantifier === 'all' || (condition.quantifier === undefined && condition.negated)
    );
  const one = (value: string) => condition.test(value, context) !== condition.negated;
  switch (condition.quantifier) {
    case 'all':
      return values.every(one);
    case 'any':
      return values.some(one);
    case undefined:
      return condition.negated ? values.every(one) : values.some(one);
  }
}
