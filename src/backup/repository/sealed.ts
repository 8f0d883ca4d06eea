import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { BackupError } from '../errors.ts';

/**
 * Everything that the repository keeps of its sources is sealed: `salt (32) | ciphertext | tag (16)`, AES-256-GCM under a
 * key of its own, HKDF-SHA256(master key, salt, info), with a nonce of 12 zero bytes. A key that is used once needs no
 * other nonce, and no count of messages can exhaust it. `info` names the kind of content, so that one cannot be put in
 * another's place.
 */
export type SealedKind = 'blob' | 'layer' | 'snapshot' | 'master-key' | 'record';

export const SEAL_BYTES = 48;
const NONCE = Buffer.alloc(12);

function keyOf(master: Buffer, salt: Buffer, kind: SealedKind): Buffer {
  return Buffer.from(hkdfSync('sha256', master, salt, `bucketwright-backup-1 ${kind}`, 32));
}

export function seal(master: Buffer, kind: SealedKind, plain: Buffer): Buffer {
  const salt = randomBytes(32);
  const cipher = createCipheriv('aes-256-gcm', keyOf(master, salt, kind), NONCE);
  return Buffer.concat([salt, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws BackupError `damaged` where a bit is not as it was sealed, or the key is another */
export function unseal(master: Buffer, kind: SealedKind, sealed: Buffer, subject: string): Buffer {
  if (sealed.length < SEAL_BYTES) throw changed(subject, 'it is too short');
  const decipher = createDecipheriv('aes-256-gcm', keyOf(master, sealed.subarray(0, 32), kind), NONCE);
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  try {
    const plain = decipher.update(sealed.subarray(32, -16));
    // GCM keeps nothing back: this only checks.
    decipher.final();
    return plain;
  } catch (error) {
    throw changed(subject, 'its authentication fails', error);
  }
}

export function changed(subject: string, how: string, cause?: unknown): BackupError {
  return new BackupError('damaged', `${subject} is not what was stored: ${how}`, {
    subject,
    advice: 'bucketwright backup verify --read-data tells which snapshots need it; restore from one that does not',
    cause,
  });
}
