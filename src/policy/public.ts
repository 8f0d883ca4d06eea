import type { Condition, Policy, Statement } from './model.ts';

/**
 * Whether a bucket policy counts as public (S3 User Guide, "The meaning of public"): it allows everybody something, and
 * no condition narrows that to fixed values of a key that says who or whence.
 */
export function isPublic(policy: Policy): boolean {
  return policy.statements.some((statement) => allowsEverybody(statement) && !statement.conditions.some(narrows));
}

export function allowsEverybody({ effect, principals }: Statement): boolean {
  return effect === 'Allow' && principals?.anyone === true && !principals.negated;
}

const FIXED_KEYS = new Set([
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalorgid',
  'aws:principalorgpaths',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourceorgid',
  'aws:sourceorgpaths',
  'aws:sourceowner',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
  'aws:username',
  's3:dataaccesspointaccount',
  's3:dataaccesspointarn',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
]);
const POSITIVE = /^(?:ForAnyValue:)?(?:StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)$/i;

function narrows(condition: Condition): boolean {
  if (condition.ifExists || condition.quantifier === 'all') return false;
  if (condition.key === 'aws:sourceip') {
    return /^IpAddress$/i.test(condition.operator) && condition.values.every(isNarrowRange);
  }
  return (
    FIXED_KEYS.has(condition.key) &&
    POSITIVE.test(condition.operator) &&
    condition.values.every((value) => !/[*?]|\$\{/.test(value))
  );
}

/** At most 2²⁴ IPv4 or 2⁹⁶ IPv6 addresses: wider ranges count as everybody. */
function isNarrowRange(value: string): boolean {
  const [address = '', bits] = value.split('/');
  return bits === undefined || Number(bits) >= (address.includes(':') ? 32 : 8);
}
