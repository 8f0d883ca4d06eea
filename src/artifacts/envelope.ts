import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { ArtifactError } from './errors.ts';

export const STATEMENT_TYPE = 'application/vnd.in-toto+json';

/** DSSE, https://github.com/secure-systems-lab/dsse/blob/master/envelope.md */
export const envelopeSchema = z.object({
  payloadType: z.literal(STATEMENT_TYPE),
  payload: z.base64(),
  signatures: z
    .array(z.object({ keyid: z.string().max(200).optional(), sig: z.base64() }))
    .min(1)
    .max(100),
});
export type Envelope = z.output<typeof envelopeSchema>;

/** An Ed25519 key from PEM. @throws ArtifactError `signature` */
export function privateKeyOf(pem: string, subject: string): KeyObject {
  return ed25519(() => createPrivateKey(pem), subject);
}

/** @throws ArtifactError `signature` */
export function publicKeyOf(pem: string, subject: string): KeyObject {
  if (/PRIVATE KEY/.test(pem)) throw notAKey(subject, 'it is a private key: nodes need only the public one');
  return ed25519(() => createPublicKey(pem), subject);
}

function ed25519(read: () => KeyObject, subject: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (error) {
    throw notAKey(subject, 'it is not a PEM key, or has a pass phrase', error);
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw notAKey(subject, `its type is ${key.asymmetricKeyType ?? 'unknown'}`);
}

function notAKey(subject: string, why: string, cause?: unknown): ArtifactError {
  return new ArtifactError('signature', `${subject} is not a usable Ed25519 key: ${why}`, {
    subject,
    advice: 'make one: openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out key.pub',
    cause,
  });
}

/** SHA-256 of the public key's DER, in hex. */
export function keyId(key: KeyObject): string {
  const open = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(open.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** Signs a statement's bytes. */
export function seal(statement: Buffer, key: KeyObject): Envelope {
  const sig = sign(null, encode(statement), key).toString('base64');
  return {
    payloadType: STATEMENT_TYPE,
    payload: statement.toString('base64'),
    signatures: [{ keyid: keyId(key), sig }],
  };
}

/** The ids of the keys that signed it, of those given. The hint in the envelope is not believed. */
export function signers({ payload, signatures }: Envelope, keys: readonly KeyObject[]): readonly string[] {
  const bytes = encode(Buffer.from(payload, 'base64'));
  return keys
    .filter((key) => signatures.some(({ sig }) => verify(null, bytes, key, Buffer.from(sig, 'base64'))))
    .map(keyId);
}

/** DSSE's pre-authentication encoding: type and payload, each with its length. */
function encode(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${STATEMENT_TYPE.length} ${STATEMENT_TYPE} ${payload.length} `), payload]);
}
