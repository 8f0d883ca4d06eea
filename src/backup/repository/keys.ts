import { randomBytes, scryptSync } from 'node:crypto';
import { z } from 'zod';
import type { Secret } from '../../core/secret.ts';
import { BackupError } from '../errors.ts';
import { seal, unseal } from './sealed.ts';

/**
 * A key slot: the repository's master key, sealed with a key that scrypt (RFC 7914) makes of a passphrase or of a key
 * file's content. Any slot opens the repository; changing a passphrase is a new slot and the old one's removal, and no data
 * is written again.
 */
export const slotSchema = z.object({
  version: z.literal(1),
  kdf: z.literal('scrypt'),
  // Bounds, so that whoever may write the bucket cannot make a reader run out of memory.
  n: z.number().int().min(1024).max(1_048_576),
  r: z.number().int().min(1).max(32),
  p: z.number().int().min(1).max(16),
  salt: z.string().regex(/^[0-9a-f]{64}$/),
  sealed: z.string().regex(/^[0-9a-f]{160}$/),
});
export type Slot = z.infer<typeof slotSchema>;

const COST = { n: 32_768, r: 8, p: 1 } as const;

function derive(secret: Secret, { n, r, p, salt }: Pick<Slot, 'n' | 'r' | 'p' | 'salt'>): Buffer {
  return scryptSync(Buffer.from(secret.reveal(), 'utf8'), Buffer.from(salt, 'hex'), 32, {
    N: n,
    r,
    p,
    maxmem: 1 << 30,
  });
}

export function newSlot(master: Buffer, secret: Secret): Slot {
  const cost = { ...COST, salt: randomBytes(32).toString('hex') };
  const sealed = seal(derive(secret, cost), 'master-key', master).toString('hex');
  return { version: 1, kdf: 'scrypt', ...cost, sealed };
}

/** @returns undefined where this slot is another secret's */
export function openSlot(slot: Slot, secret: Secret): Buffer | undefined {
  try {
    return unseal(derive(secret, slot), 'master-key', Buffer.from(slot.sealed, 'hex'), 'key slot');
  } catch (error) {
    if (error instanceof BackupError && error.code === 'damaged') return undefined;
    throw error;
  }
}
