import { createHash, type Hash, hash } from 'node:crypto';
import { type Crc32, crc32, crc32c, crc64nvme } from './crc.ts';
import type { DigestName, Digests } from './model.ts';

/** One running digest. `digest` may be called once; the answer is raw bytes, CRCs big-endian. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

const cryptoNames = { MD5: 'md5', SHA1: 'sha1', SHA256: 'sha256' } as const;

export function createHasher(name: DigestName): Hasher {
  switch (name) {
    case 'CRC32':
      return new Crc32Hasher(crc32);
    case 'CRC32C':
      return new Crc32Hasher(crc32c);
    case 'CRC64NVME':
      return new Crc64Hasher();
    case 'MD5':
    case 'SHA1':
    case 'SHA256':
      return new CryptoHasher(cryptoNames[name]);
  }
}

/** The digest of bytes at hand: for small inputs twice as fast as a `Hasher`. */
export function digestOf(name: DigestName, bytes: Uint8Array): Buffer {
  switch (name) {
    case 'CRC32':
      return uint32(crc32(bytes, 0));
    case 'CRC32C':
      return uint32(crc32c(bytes, 0));
    case 'CRC64NVME':
      return uint64(crc64nvme(bytes, 0n));
    case 'MD5':
    case 'SHA1':
    case 'SHA256':
      return hash(cryptoNames[name], bytes, 'buffer');
  }
}

/** Several digests over the same bytes. A name given twice is computed once. */
export class DigestSet {
  readonly #hashers: readonly (readonly [DigestName, Hasher])[];

  constructor(names: Iterable<DigestName>) {
    this.#hashers = Array.from(new Set(names), (name) => [name, createHasher(name)] as const);
  }

  update(bytes: Uint8Array): void {
    for (const [, hasher] of this.#hashers) hasher.update(bytes);
  }

  digest(): Digests {
    return new Map(this.#hashers.map(([name, hasher]) => [name, hasher.digest()]));
  }
}

class CryptoHasher implements Hasher {
  readonly #hash: Hash;

  constructor(name: string) {
    this.#hash = createHash(name);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): Buffer {
    return this.#hash.digest();
  }
}

class Crc32Hasher implements Hasher {
  readonly #extend: Crc32;
  #crc = 0;

  constructor(extend: Crc32) {
    this.#extend = extend;
  }

  update(bytes: Uint8Array): void {
    this.#crc = this.#extend(bytes, this.#crc);
  }

  digest(): Buffer {
    return uint32(this.#crc);
  }
}

class Crc64Hasher implements Hasher {
  #crc = 0n;

  update(bytes: Uint8Array): void {
    this.#crc = crc64nvme(bytes, this.#crc);
  }

  digest(): Buffer {
    return uint64(this.#crc);
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
