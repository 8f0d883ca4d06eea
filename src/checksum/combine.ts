import { polynomials } from './crc.ts';
import type { CrcAlgorithm } from './model.ts';

export interface PartDigest {
  /** Raw CRC bytes, big-endian. */
  readonly digest: Buffer;
  /** Bytes in the part. */
  readonly length: number;
}

/**
 * The CRC of parts laid end to end, from their CRCs alone: what a full-object checksum of a multipart upload is.
 *
 * A CRC is the remainder of a polynomial over GF(2), so appending n bytes multiplies what came before by x^(8n) modulo
 * the CRC's polynomial (as zlib's crc32_combine does). Of no parts, the CRC of no bytes: zero.
 */
export function combineCrc(algorithm: CrcAlgorithm, parts: readonly PartDigest[]): Buffer {
  const { bits, polynomial } = polynomials[algorithm];
  const field = new Field(BigInt(bits), polynomial);
  const shifts = new Map<number, bigint>(); // parts of an upload are nearly all of one length
  let crc = 0n;
  for (const { digest, length } of parts) {
    let shift = shifts.get(length);
    if (shift === undefined) {
      shift = field.power(8n * BigInt(length));
      shifts.set(length, shift);
    }
    crc = field.multiply(shift, crc) ^ (bits === 32 ? BigInt(digest.readUInt32BE()) : digest.readBigUInt64BE());
  }
  const bytes = Buffer.alloc(bits / 8);
  if (bits === 32) bytes.writeUInt32BE(Number(crc));
  else bytes.writeBigUInt64BE(crc);
  return bytes;
}

/** Polynomials over GF(2) modulo a CRC's polynomial, reflected: the highest bit is the coefficient of x^0. */
class Field {
  readonly #one: bigint;
  readonly #polynomial: bigint;

  constructor(bits: bigint, polynomial: bigint) {
    this.#one = 1n << (bits - 1n);
    this.#polynomial = polynomial;
  }

  multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let term = b;
    for (let bit = this.#one; bit !== 0n && term !== 0n; bit >>= 1n) {
      if (a & bit) product ^= term;
      term = term & 1n ? (term >> 1n) ^ this.#polynomial : term >> 1n;
    }
    return product;
  }

  /** x^exponent. */
  power(exponent: bigint): bigint {
    let result = this.#one;
    let square = this.#one >> 1n;
    for (let rest = exponent; rest > 0n; rest >>= 1n) {
      if (rest & 1n) result = this.multiply(square, result);
      square = this.multiply(square, square);
    }
    return result;
  }
}
