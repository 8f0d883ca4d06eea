import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { makeDirectoryDurably, syncDirectory, writeFileDurably } from '../fs/durable.ts';
import { UserError } from './errors.ts';

/** The generated server key of a data directory. */
export const serverKeyPath = (data: string): string => join(data, 'users.key');

/** 256 bits of the generated key, as text. */
const KEY_BYTES = 32;
const NONCE = 12;
const TAG = 16;

/**
 * Encrypts the secrets of users: SigV4 needs them as they are, so they cannot be hashed. AES-256-GCM; a secret is bound
 * to its access key id, so that swapping two in the file is noticed.
 */
export class Vault {
  readonly #key: Buffer;

  /** @param serverKey any text of full entropy; 32 random bytes in base64url when generated */
  constructor(serverKey: Secret) {
    this.#key = Buffer.from(hkdfSync('sha256', serverKey.reveal(), 'bucketwright', 'users.json secrets', 32));
  }

  seal(secret: Secret, accessKeyId: string): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(accessKeyId));
    const text = Buffer.concat([cipher.update(secret.reveal(), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url');
  }

  /** @throws UserError `server-key` */
  open(sealed: string, accessKeyId: string): Secret {
    const bytes = Buffer.from(sealed, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(Buffer.from(accessKeyId)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      return new Secret(decipher.update(bytes.subarray(NONCE + TAG), undefined, 'utf8') + decipher.final('utf8'));
    } catch (cause) {
      throw new UserError('server-key', `the secret of key ${accessKeyId} cannot be read with this server key`, {
        subject: accessKeyId,
        advice: 'set BUCKETWRIGHT_SERVER_KEY to the key that users.json was written with, or put users.key back',
        cause,
      });
    }
  }
}

/**
 * The vault of a data directory, its key made when there is none.
 * @param given from settings; undefined: users.key of the data directory
 * @param inUse whether there are secrets already: then a missing key is an error, and a new one would not help
 * @throws UserError `server-key`
 */
export async function openVault(data: string, given: Secret | undefined, inUse: boolean): Promise<Vault> {
  if (given !== undefined) return new Vault(given);
  const path = serverKeyPath(data);
  const existing = await readFile(path, 'utf8').catch(ifMissing);
  if (existing !== undefined) return new Vault(new Secret(existing.trim()));
  if (inUse) throw missingKey(path);
  await makeDirectoryDurably(data);
  const candidate = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFileDurably(candidate, `${randomBytes(KEY_BYTES).toString('base64url')}\n`);
  try {
    // Of two commands at the same moment only one can be first; both use its key.
    await link(candidate, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  } finally {
    await rm(candidate, { force: true });
  }
  return new Vault(new Secret((await readFile(path, 'utf8')).trim()));
}

/** The same for a server, which only reads. Undefined: there is no key, so there can be no users. */
export function existingVault(data: string, given: Secret | undefined): Vault | undefined {
  if (given !== undefined) return new Vault(given);
  try {
    return new Vault(new Secret(readFileSync(serverKeyPath(data), 'utf8').trim()));
  } catch (error) {
    return ifMissing(error);
  }
}

export function missingKey(subject: string): UserError {
  return new UserError('server-key', 'there are users but no server key', {
    subject,
    advice: 'put users.key back or set BUCKETWRIGHT_SERVER_KEY; without it, remove the users and add them again',
  });
}

function ifMissing(error: unknown): undefined {
  if (systemErrorCode(error) === 'ENOENT') return undefined;
  throw error;
}
