import type { Context } from 'hono';
import type { z } from 'zod';
import { checkName } from '../artifacts/index.ts';
import { UsageError } from '../core/errors.ts';
import { Refusal } from './refusal.ts';
import { reaches, type Token } from './tokens.ts';

/** @throws UsageError */
export function queryOf<T extends z.ZodObject>(context: Context, schema: T): z.output<T> {
  return checked(schema, context.req.query());
}

/** @throws UsageError */
export function bodyOf<T extends z.ZodType>(bytes: Buffer, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    value = undefined;
  }
  return checked(schema, value);
}

/** @throws UsageError */
export function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`, {
    advice: 'see /v1/openapi.json',
  });
}

/** The name in a reference, which need not be right otherwise. */
export const nameIn = (reference: string): string => /^[^:@]*/.exec(reference)?.[0] ?? '';

/**
 * Before anything is looked up: a caller learns nothing of names that it does not reach.
 * @throws Refusal `forbidden`, ArtifactError `invalid`
 */
export function requireReach(patterns: readonly string[], name: string, what: string): string {
  if (reaches(patterns, checkName(name))) return name;
  throw new Refusal('forbidden', `this caller may not ${what} this name`, `it may: ${patterns.join(', ') || 'none'}`);
}

export const mayRead = ({ names }: Token, name: string): string => requireReach(names, name, 'read');
