import { z } from 'zod';
import { S3Error } from '../errors.ts';
import { decodeUtf8 } from '../wire/text.ts';

/** A POST policy (API reference, "Creating a POST policy"). */
export interface FormPolicy {
  /** Milliseconds since 1970 UTC. */
  readonly expires: number;
  readonly conditions: readonly Condition[];
  readonly size: { readonly min: number; readonly max: number } | undefined;
}

interface Condition {
  readonly operator: 'eq' | 'starts-with';
  /** Lower case, without `$`. */
  readonly field: string;
  readonly value: string;
  /** For the refusal. */
  readonly text: string;
}

const documentSchema = z.object({
  expiration: z.string(),
  conditions: z.array(
    z.union([
      z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      z.array(z.union([z.string(), z.number(), z.boolean()])),
    ]),
  ),
});
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
const MAX_CONDITIONS = 1000;

/**
 * @param base64 the form's `policy` field
 * @throws S3Error `InvalidPolicyDocument`
 */
export function parseFormPolicy(base64: string): FormPolicy {
  const text = decodeUtf8(Buffer.from(base64, 'base64'));
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    throw invalid('Invalid JSON.');
  }
  const document = documentSchema.safeParse(json);
  if (!document.success) {
    const [issue] = document.error.issues;
    throw invalid(
      issue?.path[0] === 'expiration' ? 'Policy missing expiration.' : 'Policy missing or with unusable conditions.',
    );
  }
  const { expiration, conditions } = document.data;
  const expires = DATE.test(expiration) ? Date.parse(expiration) : Number.NaN;
  if (Number.isNaN(expires)) throw invalid(`Invalid 'expiration' value: '${expiration.slice(0, 64)}'`);
  if (conditions.length > MAX_CONDITIONS) throw invalid('Too many conditions.');
  const matches: Condition[] = [];
  let size: FormPolicy['size'];
  for (const condition of conditions) {
    if (!Array.isArray(condition)) {
      matches.push(simple(condition));
      continue;
    }
    const [operator, first, second] = condition;
    const name = String(operator).toLowerCase();
    if (condition.length !== 3 || first === undefined || second === undefined) {
      throw invalid(`Invalid ${name}: wrong number of arguments.`);
    }
    if (name === 'content-length-range') size = { min: bytes(first), max: bytes(second) };
    else if (name === 'eq' || name === 'starts-with') {
      const field = String(first);
      if (!field.startsWith('$')) throw invalid(`Invalid ${name}: '${field.slice(0, 64)}' is no field.`);
      const text = JSON.stringify(condition);
      matches.push({ operator: name, field: field.slice(1).toLowerCase(), value: String(second), text });
    } else throw invalid(`Invalid Condition: unknown operation '${name.slice(0, 64)}'.`);
  }
  return { expires, conditions: matches, size };
}

function simple(condition: Readonly<Record<string, string | number | boolean>>): Condition {
  const entries = Object.entries(condition);
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) {
    throw invalid('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.');
  }
  const text = JSON.stringify(['eq', `$${entry[0]}`, entry[1]]);
  return { operator: 'eq', field: entry[0].toLowerCase(), value: String(entry[1]), text };
}

function bytes(value: string | number | boolean): number {
  const text = String(value);
  if (!/^\d{1,15}$/.test(text)) throw invalid('Invalid content-length-range: it must be two whole numbers.');
  return Number(text);
}

/** Fields that need no condition: they are the signature itself, or are ignored. */
const UNCONDITIONED = new Set(['policy', 'x-amz-signature', 'signature', 'awsaccesskeyid', 'file']);

/** Fields to ignore, and checksums, which allow nothing: they only say more exactly what the file is. */
const FREE = /^x-(?:ignore|amz-checksum)-/;

/**
 * Holds a form's fields against its policy: every condition must be met, every field must have one.
 * @param fields by lower-case name, with `bucket` as the request names it
 * @throws S3Error `AccessDenied`
 */
export function checkFormPolicy(policy: FormPolicy, fields: ReadonlyMap<string, string>, now: number): void {
  if (now > policy.expires) throw denied('Policy expired.');
  const covered = new Set<string>();
  for (const { operator, field, value, text } of policy.conditions) {
    covered.add(field);
    const given = fields.get(field) ?? '';
    const met = operator === 'eq' ? given === value : given.startsWith(value);
    if (!met) throw denied(`Policy Condition failed: ${text.slice(0, 512)}`);
  }
  const extra = Array.from(fields.keys()).filter(
    (name) => !covered.has(name) && !UNCONDITIONED.has(name) && !FREE.test(name),
  );
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ').slice(0, 512)}`);
}

function invalid(why: string): S3Error {
  return new S3Error('InvalidPolicyDocument', `Invalid Policy: ${why}`);
}

function denied(why: string): S3Error {
  return new S3Error('AccessDenied', `Invalid according to Policy: ${why}`);
}
