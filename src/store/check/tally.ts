interface BodyNumber {
  readonly segment: number;
  readonly sequence: number;
}

/**
 * How often each body is referred to. Nearly all are once: those take a bit each, so that ten million objects take some
 * megabytes, not gigabytes.
 */
export class Tally {
  readonly #once = new Map<number, Uint8Array>();
  readonly #more = new Map<string, number>();

  add({ segment, sequence }: BodyNumber): void {
    let bits = this.#once.get(segment) ?? new Uint8Array(64);
    const byte = sequence >>> 3;
    if (byte >= bits.length) {
      const larger = new Uint8Array(Math.max(byte + 1, bits.length * 2));
      larger.set(bits);
      bits = larger;
    }
    this.#once.set(segment, bits);
    const bit = 1 << (sequence & 7);
    const before = bits[byte] ?? 0;
    if ((before & bit) === 0) {
      bits[byte] = before | bit;
      return;
    }
    const name = `${segment}/${sequence}`;
    this.#more.set(name, (this.#more.get(name) ?? 1) + 1);
  }

  count({ segment, sequence }: BodyNumber): number {
    const byte = this.#once.get(segment)?.[sequence >>> 3] ?? 0;
    if ((byte & (1 << (sequence & 7))) === 0) return 0;
    return this.#more.get(`${segment}/${sequence}`) ?? 1;
  }
}

/** What all entries together refer to. */
export interface Tallies {
  readonly bodies: Tally;
  readonly manifests: Tally;
  /** By bucket number. */
  readonly usage: Map<number, { objects: number; bytes: number }>;
  /** False: an entry could not be read, so what seems to belong to nobody may be its. */
  whole: boolean;
}
