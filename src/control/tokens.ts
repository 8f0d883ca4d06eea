import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { UsageError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';

/** A token as its file has it: by its SHA-256, never itself. */
export const tokenSchema = z.strictObject({
  /** For people and logs. */
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Names it reaches: exact, or all below with `/*` at the end, or `*`. */
  names: z.array(z.string().min(1).max(200)).min(1),
  /** Whose store it reads; without: the one without a tenant. */
  tenant: z.string().optional(),
});
export type Token = z.output<typeof tokenSchema>;
const fileSchema = z.strictObject({ tokens: z.array(tokenSchema).max(10_000) });

/** @throws UsageError that says what is wrong where */
export function parseTokens(text: string, path: string): readonly Token[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data.tokens;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${path} is not a file of tokens: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, {
    subject: path,
    advice: 'bucketwright artifact token prints an entry: {"tokens":[…]}',
    cause: parsed.error,
  });
}

/** 256 random bits; guessing is hopeless, so a plain hash is enough to keep it. */
export function newToken(facts: Omit<Token, 'sha256'>): { readonly token: Secret; readonly entry: Token } {
  const text = `bwa_${randomBytes(32).toString('base64url')}`;
  return { token: new Secret(text), entry: { ...facts, sha256: hash(text).toString('hex') } };
}

/** Looks at all tokens whichever it is, and compares in constant time. */
export function findToken(tokens: readonly Token[], authorization: string | undefined): Token | undefined {
  const text = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(authorization ?? '')?.[1] ?? '';
  const given = hash(text);
  let found: Token | undefined;
  for (const token of tokens) if (timingSafeEqual(given, Buffer.from(token.sha256, 'hex'))) found = token;
  return found;
}

export function mayRead({ names }: Token, name: string): boolean {
  return names.some(
    (each) => each === '*' || each === name || (each.endsWith('/*') && name.startsWith(each.slice(0, -1))),
  );
}

const hash = (text: string) => createHash('sha256').update(text).digest();
