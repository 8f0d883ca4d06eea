import { sha256Hex } from './keys.ts';
import { ALGORITHM, EMPTY_SHA256, type VerifiedSignature } from './model.ts';

/** Trailers in the order sent: lower-case name, trimmed value. */
export type Trailers = ReadonlyMap<string, string>;

/**
 * Each chunk's signature covers the one before it, from the request's own on (Amazon S3 API Reference, "Signature
 * calculations for the Authorization header: transferring payload in multiple chunks").
 */
export class SignatureChain {
  readonly #seed: VerifiedSignature;
  #previous: string;

  constructor(seed: VerifiedSignature) {
    this.#seed = seed;
    this.#previous = seed.seedSignature;
  }

  /** @param dataSha256 hexadecimal, of the chunk's bytes. */
  chunk(dataSha256: string): string {
    return this.#next(`${ALGORITHM}-PAYLOAD`, `${EMPTY_SHA256}\n${dataSha256}`);
  }

  /** The signature of what follows the last chunk. */
  trailer(trailers: Trailers): string {
    let canonical = '';
    for (const [name, value] of trailers) canonical += `${name}:${value}\n`;
    return this.#next(`${ALGORITHM}-TRAILER`, sha256Hex(canonical));
  }

  #next(algorithm: string, digests: string): string {
    const { signingKey, amzDate, scope } = this.#seed;
    this.#previous = signingKey.hex(`${algorithm}\n${amzDate}\n${scope}\n${this.#previous}\n${digests}`);
    return this.#previous;
  }
}
