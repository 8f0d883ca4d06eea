import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, type ObjectClient } from '../../client/index.ts';
import { changed } from './sealed.ts';

/** Where a repository is. */
export interface RepositoryPlace {
  readonly client: ObjectClient;
  readonly bucket: string;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
  /** Whether the provider keeps its word on If-None-Match: what must not be there yet is written with it. */
  readonly conditionalPut: boolean;
  /** Milliseconds that every object is locked against removal (S3 Object Lock); undefined: the bucket has no lock. */
  readonly lock?: number | undefined;
}

export interface StoredObject {
  /** Without the repository's prefix. */
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970 by the provider's clock. */
  readonly modified: number | undefined;
  readonly etag: string;
}

const PAGE = 1000;
const READS = 4;

/** The objects of a repository by their names, and how many requests they took. */
export class Storage {
  readonly place: RepositoryPlace;
  /** Requests so far, without those that the client repeats for itself. */
  requests = 0;

  constructor(place: RepositoryPlace) {
    this.place = place;
  }

  /**
   * Writes an object that is never changed afterwards.
   * @throws ClientError; `precondition-failed` where `once` and another is there already, if the provider can tell
   */
  async write(
    name: string,
    bytes: Buffer,
    { once = false, sha256 }: { readonly once?: boolean; readonly sha256?: string } = {},
  ): Promise<void> {
    const { client, bucket, prefix, conditionalPut, lock } = this.place;
    this.requests += 1;
    const put = client.put({
      bucket,
      key: prefix + name,
      body: { bytes },
      // The provider refuses what was changed on its way: by the digest that is signed, or by another.
      // Object Lock asks for the latter.
      ...(sha256 === undefined || lock !== undefined ? { md5: createHash('md5').update(bytes).digest() } : { sha256 }),
      ...(once && conditionalPut ? { ifAbsent: true } : {}),
      ...(lock === undefined ? {} : { lockUntil: Date.now() + lock }),
    });
    try {
      await put;
    } catch (error) {
      // The answer to an attempt before may have been lost: then what is there is this.
      const there = once && error instanceof ClientError && error.code === 'precondition-failed';
      if (!there || (await this.read(name))?.equals(bytes) !== true) throw error;
    }
  }

  /** Writes what may be written again: the lease, which nothing depends on. */
  async overwrite(name: string, bytes: Buffer): Promise<void> {
    const { client, bucket, prefix } = this.place;
    this.requests += 1;
    await client.put({ bucket, key: prefix + name, body: { bytes }, md5: createHash('md5').update(bytes).digest() });
  }

  /**
   * An object, or the bytes of it from `start` to `end` (inclusive); undefined where there is none. A connection that is
   * lost in the body is no end: the client repeats requests, but not half a body.
   * @throws ClientError; BackupError `damaged` where it is shorter
   */
  async read(name: string, range?: { readonly start: number; readonly end: number }): Promise<Buffer | undefined> {
    const { client, bucket, prefix } = this.place;
    for (let attempt = 1; ; attempt++) {
      this.requests += 1;
      try {
        const { body, size } = await client.get({ bucket, key: prefix + name, range });
        return await whole(body, size);
      } catch (error) {
        if (error instanceof ClientError && error.code === 'no-such-key') return undefined;
        if (error instanceof ClientError && error.code === 'range') throw changed(name, 'it is shorter', error);
        if (error instanceof ClientError) throw error;
        if (attempt === READS) {
          throw new ClientError('unreachable', `the connection was lost ${READS} times while ${name} was read`, {
            subject: name,
            advice: 'try again; what was restored so far is kept',
            cause: error,
          });
        }
        await sleep(100 * 2 ** attempt);
      }
    }
  }

  /** In the order of names. @param pageSize how many are wanted at once, 1 to 1,000 */
  async *list(prefix: string, { pageSize = PAGE, startAfter = '' } = {}): AsyncGenerator<StoredObject> {
    const { client, bucket } = this.place;
    const root = this.place.prefix;
    this.requests += 1;
    let seen = 0;
    const after = startAfter === '' ? undefined : root + startAfter;
    for await (const entry of client.list({ bucket, prefix: root + prefix, pageSize, startAfter: after })) {
      if (seen > 0 && seen % pageSize === 0) this.requests += 1;
      seen += 1;
      if (entry.kind !== 'object') continue;
      const { key, size, modified, etag } = entry;
      yield { name: key.slice(root.length), size, modified, etag };
    }
  }

  /** The folders directly below `prefix`, without their slash. */
  async folders(prefix: string): Promise<readonly string[]> {
    const { client, bucket } = this.place;
    const root = this.place.prefix + prefix;
    this.requests += 1;
    const found: string[] = [];
    for await (const entry of client.list({ bucket, prefix: root, delimiter: '/' })) {
      if (entry.kind === 'prefix') found.push(entry.prefix.slice(root.length, -1));
    }
    return found;
  }

  /** Locks an object against removal until then, at least. @throws ClientError */
  async lock(name: string, until: number): Promise<void> {
    const { client, bucket, prefix } = this.place;
    this.requests += 1;
    await client.extendLock({ bucket, key: prefix + name, until });
  }

  async remove(name: string): Promise<void> {
    const { client, bucket, prefix } = this.place;
    this.requests += 1;
    await client.delete({ bucket, key: prefix + name });
  }

  /** @throws ClientError `refused` with the first that stayed */
  async removeAll(names: readonly string[]): Promise<void> {
    const { client, bucket, prefix } = this.place;
    for (let at = 0; at < names.length; at += PAGE) {
      this.requests += 1;
      const keys = names.slice(at, at + PAGE).map((name) => prefix + name);
      const [failure] = await client.deleteMany({ bucket, keys });
      if (failure === undefined) continue;
      throw new ClientError('refused', `${failure.key} was not removed (${failure.s3Code})`, {
        subject: failure.key,
        s3Code: failure.s3Code,
        advice: 'check that the key may delete below the prefix, and run it again',
      });
    }
  }
}

/** Into one buffer of the length that was told: a third of the time of collecting pieces. */
async function whole(body: Readable, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const chunk of body) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    if (filled + piece.length > size) throw new Error(`more than the ${size} bytes that were told came`);
    filled += piece.copy(bytes, filled);
  }
  if (filled < size) throw new Error(`${filled} bytes of ${size} came`);
  return bytes;
}
