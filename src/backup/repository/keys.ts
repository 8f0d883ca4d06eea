import { randomBytes, scrypt } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../../core/secret.ts';
import { BackupError } from '../errors.ts';
import { seal, unseal } from './sealed.ts';

/** What opens a repository: a passphrase, or a random key. */
export type Opener =
  | { readonly kind: 'passphrase'; readonly secret: Secret }
  /** Base64 of at least 32 random bytes. */
  | { readonly kind: 'key'; readonly secret: Secret };

const MOST_MEMORY = 1 << 30;

const common = { version: z.literal(1), sealed: z.string().regex(/^[0-9a-f]{160}$/) };

/**
 * A key slot: the repository's master key, sealed under what scrypt (RFC 7914) makes of a passphrase, or under a key file's
 * content as it is. Any slot opens the repository; changing a passphrase is a new slot and the old one's removal, and no
 * data is written again.
 */
export const slotSchema = z.discriminatedUnion('kdf', [
  z.object({
    ...common,
    kdf: z.literal('scrypt'),
    // Bounds, so that whoever may write the bucket cannot make a reader run out of memory.
    n: z.number().int().min(1024).max(1_048_576),
    r: z.number().int().min(1).max(32),
    p: z.number().int().min(1).max(16),
    salt: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  z.object({ ...common, kdf: z.literal('none') }),
]);
export type Slot = z.infer<typeof slotSchema>;
type ScryptCost = Pick<Extract<Slot, { kdf: 'scrypt' }>, 'n' | 'r' | 'p' | 'salt'>;

const COST = { n: 32_768, r: 8, p: 1 } as const;

/** Off the event loop: a lease must be renewed meanwhile. */
function derive(secret: Secret, { n, r, p, salt }: ScryptCost): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: MOST_MEMORY };
  return new Promise((resolve, reject) => {
    scrypt(Buffer.from(secret.reveal(), 'utf8'), Buffer.from(salt, 'hex'), 32, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

export async function newSlot(master: Buffer, { kind, secret }: Opener): Promise<Slot> {
  if (kind === 'key') {
    const sealed = seal(Buffer.from(secret.reveal(), 'base64'), 'master-key', master).toString('hex');
    return { version: 1, kdf: 'none', sealed };
  }
  const cost = { ...COST, salt: randomBytes(32).toString('hex') };
  const sealed = seal(await derive(secret, cost), 'master-key', master).toString('hex');
  return { version: 1, kdf: 'scrypt', ...cost, sealed };
}

/** @returns undefined where this slot is another secret's */
export async function openSlot(slot: Slot, { kind, secret }: Opener): Promise<Buffer | undefined> {
  if ((slot.kdf === 'none') !== (kind === 'key')) return undefined;
  // One that asks for more memory than we give is none that we wrote.
  if (slot.kdf === 'scrypt' && 128 * slot.n * slot.r * slot.p > MOST_MEMORY / 2) return undefined;
  const key = slot.kdf === 'none' ? Buffer.from(secret.reveal(), 'base64') : await derive(secret, slot);
  try {
    return unseal(key, 'master-key', Buffer.from(slot.sealed, 'hex'), 'key slot');
  } catch (error) {
    if (error instanceof BackupError && error.code === 'damaged') return undefined;
    throw error;
  }
}
