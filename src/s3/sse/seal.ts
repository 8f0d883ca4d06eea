import { type CipherGCM, createCipheriv, randomBytes } from 'node:crypto';
import { type Checksum, type DigestName, DigestSet, type Digests, digestOf } from '../../checksum/index.ts';
import { MiB } from '../../core/sizes.ts';
import type { BodyInput, IncomingBody } from '../../store/port.ts';
import type { CustomerKey } from './customer-key.ts';
import { type Kept, writeKept } from './kept.ts';

/**
 * Bodies are AES-256-GCM, each chunk by itself, under a key of the body's own; the nonce is the chunk's number. Tags are
 * kept beside the body, so that it has the length of what is in it, and any range is where it always was.
 */
export const CHUNK = MiB;
export const TAG_BYTES = 16;
const SALT_BYTES = 32;

interface PlainBody {
  readonly body: BodyInput;
  /** Of the plain bytes. */
  readonly digests: readonly DigestName[];
  accept(digests: Digests, size: number): Checksum | undefined;
}

/** The same body, encrypted on its way. As on AWS its entity tag is not the MD5 of the content. */
export function sealedBody({ body, digests, accept }: PlainBody, key: CustomerKey): IncomingBody {
  const salt = randomBytes(SALT_BYTES);
  const sealer = new Sealer(key.bodyKey(salt));
  const names: readonly DigestName[] = digests.includes('MD5') ? digests : [...digests, 'MD5'];
  const set = 'bytes' in body ? undefined : new DigestSet(names);
  let plain: Digests = 'bytes' in body ? new Map(names.map((name) => [name, digestOf(name, body.bytes)])) : new Map();
  return {
    body:
      'bytes' in body
        ? { bytes: Buffer.concat([...sealer.take(body.bytes), ...sealer.end()]) }
        : { chunks: sealChunks(body.chunks, sealer, set), length: body.length },
    digests: [],
    accept(_, size) {
      if (set !== undefined) plain = set.digest();
      return accept(plain, size);
    },
    seal() {
      const tags = Buffer.concat(sealer.tags).toString('base64');
      const kept: Kept = { check: key.check(), salt: salt.toString('base64'), tags };
      return { sse: writeKept(kept), etag: key.entityTag(plain.get('MD5') ?? Buffer.alloc(0)) };
    },
  };
}

async function* sealChunks(
  chunks: AsyncIterable<Buffer>,
  sealer: Sealer,
  digests: DigestSet | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    digests?.update(chunk);
    yield* sealer.take(chunk);
  }
  yield* sealer.end();
}

class Sealer {
  readonly tags: Buffer[] = [];
  readonly #key: Buffer;
  #cipher: CipherGCM | undefined;
  #room = CHUNK;

  constructor(key: Buffer) {
    this.#key = key;
  }

  *take(bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; ) {
      this.#cipher ??= createCipheriv('aes-256-gcm', this.#key, nonce(this.tags.length));
      const piece = bytes.subarray(at, at + this.#room);
      yield this.#cipher.update(piece);
      at += piece.length;
      this.#room -= piece.length;
      if (this.#room === 0) yield* this.end();
    }
  }

  /** Ends the chunk that is under way. */
  *end(): Generator<Buffer> {
    if (this.#cipher === undefined) return;
    const rest = this.#cipher.final();
    if (rest.length > 0) yield rest;
    this.tags.push(this.#cipher.getAuthTag());
    this.#cipher = undefined;
    this.#room = CHUNK;
  }
}

/** Never used twice under one key: each body has its own. */
export function nonce(chunk: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(chunk, 8);
  return bytes;
}
