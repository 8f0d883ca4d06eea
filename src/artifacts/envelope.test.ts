import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyId, privateKeyOf, publicKeyOf, seal, signers } from './envelope.ts';

const pair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    secret: privateKeyOf(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'key'),
    open: publicKeyOf(publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'key'),
  };
};
const [ours, theirs] = [pair(), pair()];

test('a signature is of one key and of these very bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), (bytes, at) => {
      const envelope = seal(Buffer.from(bytes), ours.secret);
      expect(signers(envelope, [theirs.open, ours.open])).toEqual([keyId(ours.open)]);
      // The hint does not make a key sign.
      const claimed = {
        ...envelope,
        signatures: envelope.signatures.map(({ sig }) => ({ sig, keyid: keyId(theirs.open) })),
      };
      expect(signers(claimed, [theirs.open])).toEqual([]);
      const other = Buffer.concat([bytes, Buffer.from([at % 256])]);
      expect(signers({ ...envelope, payload: other.toString('base64') }, [ours.open])).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test('other keys, private keys for nodes, and no keys are refused', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rsa = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const secret = ours.secret.export({ type: 'pkcs8', format: 'pem' }).toString();
  for (const pem of [rsa, secret, '', 'x']) {
    expect(() => publicKeyOf(pem, 'file')).toThrow(/not a usable Ed25519 key/);
  }
  expect(() => privateKeyOf(rsa, 'file')).toThrow(/not a usable Ed25519 key/);
});
