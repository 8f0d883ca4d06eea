import { createDecipheriv } from 'node:crypto';
import { StoreError } from '../../store/errors.ts';
import type { ChunkSink, ObjectInfo, OpenObject } from '../../store/port.ts';
import type { CustomerKey } from './customer-key.ts';
import { readKept, requireSameKey } from './kept.ts';
import { CHUNK, nonce, TAG_BYTES } from './seal.ts';

/** One encrypted body within an object. */
interface Sealed {
  readonly offset: number;
  readonly size: number;
  readonly key: Buffer;
  readonly tags: Buffer;
}

/**
 * The object as its client sees it. Without a key and without encryption it is the object itself. A chunk is given away
 * only after its tag was checked, so changed bytes end the answer instead of reaching the client.
 * @throws S3Error `InvalidRequest` for a key that is missing, wrong or too many; the object is the caller's to close
 */
export function decryptedObject(object: OpenObject, key: CustomerKey | undefined): OpenObject {
  const { info } = object;
  requireSameKey(info.sse, key);
  if (info.sse === undefined || key === undefined) return object;
  const bodies = sealedBodies(info, info.sse, key);
  const [first] = bodies;
  const inline =
    object.inline === undefined || first === undefined || object.inline.length === 0
      ? object.inline
      : openChunk(first, 0, object.inline);
  async function* read(start: number, end: number): AsyncGenerator<Buffer> {
    for (const body of bodies) {
      const from = Math.max(start - body.offset, 0);
      const to = Math.min(end - body.offset, body.size);
      if (to > from) yield* openRange(object, body, from, to);
    }
  }
  return {
    info,
    inline,
    read,
    async send(start: number, end: number, sink: ChunkSink) {
      for await (const chunk of read(start, end)) await sink(chunk);
    },
    close: () => object.close(),
  };
}

function sealedBodies(info: ObjectInfo, sse: string, key: CustomerKey): readonly Sealed[] {
  const pieces = info.parts ?? [{ offset: 0, size: info.size, sse }];
  return pieces.map((piece) => {
    const { salt, tags } = readKept(piece.sse ?? '{}');
    if (salt === undefined || tags === undefined) throw damaged('it is not written how a body was encrypted');
    return {
      offset: piece.offset,
      size: piece.size,
      key: key.bodyKey(Buffer.from(salt, 'base64')),
      tags: Buffer.from(tags, 'base64'),
    };
  });
}

/** Whole chunks are read, since only they can be checked; one is in memory at a time. */
async function* openRange(object: OpenObject, body: Sealed, from: number, to: number): AsyncGenerator<Buffer> {
  let chunk = Math.floor(from / CHUNK);
  const firstByte = chunk * CHUNK;
  const lastByte = Math.min(Math.ceil(to / CHUNK) * CHUNK, body.size);
  let pieces: Buffer[] = [];
  let gathered = 0;
  const open = () => {
    const plain = openChunk(body, chunk, Buffer.concat(pieces, gathered));
    const begin = chunk * CHUNK;
    chunk += 1;
    pieces = [];
    gathered = 0;
    return plain.subarray(Math.max(0, from - begin), Math.min(plain.length, to - begin));
  };
  for await (const bytes of object.read(body.offset + firstByte, body.offset + lastByte)) {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + CHUNK - gathered);
      pieces.push(piece);
      gathered += piece.length;
      at += piece.length;
      if (gathered === CHUNK) yield open();
    }
  }
  if (gathered > 0) yield open();
}

function openChunk(body: Sealed, chunk: number, bytes: Buffer): Buffer {
  const tag = body.tags.subarray(chunk * TAG_BYTES, (chunk + 1) * TAG_BYTES);
  if (tag.length !== TAG_BYTES) throw damaged('the tag of an encrypted chunk is missing');
  const decipher = createDecipheriv('aes-256-gcm', body.key, nonce(chunk), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(tag);
  const plain = decipher.update(bytes);
  try {
    decipher.final();
  } catch (cause) {
    throw new StoreError('damaged', 'an encrypted chunk is not what was written', { cause });
  }
  return plain;
}

function damaged(message: string): StoreError {
  return new StoreError('damaged', message);
}
