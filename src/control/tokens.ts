import { createHash, createPublicKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { UsageError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';

const pattern = z.string().min(1).max(200);

/** Who may ask, as the file has it: a token by its SHA-256, never itself, or the public key of who signs its requests. */
export const tokenSchema = z
  .strictObject({
    /** For people and logs; of a key also what requests are signed as. */
    id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    /** An Ed25519 key's SubjectPublicKeyInfo in base64: the middle line of its PEM. */
    publicKey: z
      .base64()
      .max(200)
      .refine((text) => ed25519Of(text) !== undefined, 'is no Ed25519 public key')
      .optional(),
    /** Names it may read: exact, or all below with `/*` at the end, or `*`. */
    names: z.array(pattern).min(1),
    /** Names it may let others upload versions of. */
    push: z.array(pattern).optional(),
    /** Whose store it reads; without: the one without a tenant. */
    tenant: z.string().optional(),
  })
  .refine(({ sha256, publicKey }) => (sha256 === undefined) !== (publicKey === undefined), {
    message: 'needs either sha256 or publicKey',
  });
export type Token = z.output<typeof tokenSchema>;
const fileSchema = z.strictObject({
  tokens: z
    .array(tokenSchema)
    .max(10_000)
    .refine((tokens) => new Set(tokens.map(({ id }) => id)).size === tokens.length, 'has an id twice'),
});

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
export function newToken(facts: Omit<Token, 'sha256' | 'publicKey'>): {
  readonly token: Secret;
  readonly entry: Token;
} {
  const text = `bwa_${randomBytes(32).toString('base64url')}`;
  return { token: new Secret(text), entry: { ...facts, sha256: hash(text).toString('hex') } };
}

/** Looks at all tokens whichever it is, and compares in constant time. */
export function findToken(tokens: readonly Token[], authorization: string | undefined): Token | undefined {
  const text = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(authorization ?? '')?.[1] ?? '';
  const given = hash(text);
  let found: Token | undefined;
  for (const { token, digest } of digestsOf(tokens)) if (timingSafeEqual(given, digest)) found = token;
  return found;
}

const digests = new WeakMap<readonly Token[], readonly { readonly token: Token; readonly digest: Buffer }[]>();

/** Decoded once for each reading of the file. */
function digestsOf(tokens: readonly Token[]) {
  const known = digests.get(tokens);
  if (known !== undefined) return known;
  const made = tokens.flatMap((token) =>
    token.sha256 === undefined ? [] : [{ token, digest: Buffer.from(token.sha256, 'hex') }],
  );
  digests.set(tokens, made);
  return made;
}

/** The key of an entry's `publicKey`; undefined where it is none. */
export function ed25519Of(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a name is among patterns such as a token has. */
export function reaches(patterns: readonly string[], name: string): boolean {
  return patterns.some(
    (each) => each === '*' || each === name || (each.endsWith('/*') && name.startsWith(each.slice(0, -1))),
  );
}

const hash = (text: string) => createHash('sha256').update(text).digest();
