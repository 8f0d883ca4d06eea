import { createHash } from 'node:crypto';
import { crc32 } from '../checksum/index.ts';
import { ClientError, type ListedPart, type UploadedPart } from '../client/index.ts';
import { MiB } from '../core/sizes.ts';
import { ArtifactError } from './errors.ts';
import type { Digest } from './names.ts';
import type { Source } from './pack.ts';
import { isMissing, type Place } from './place.ts';

export interface Sized {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** A source that was read once. */
export interface Measured extends Sized {
  /** The CRC32 of each `SMALLEST_PART` bytes: tells whether the source is still the same without a second digest. */
  readonly crcs: readonly number[];
}

export interface UploadOptions {
  /** Told each time more bytes are known to be there. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Parts under way at once; with the one being filled they are all the memory that an upload needs. */
const CONCURRENCY = 4;
const SMALLEST_PART = 8 * MiB;
/** S3 allows 10,000. */
const MOST_PARTS = 9_000;

/** Reads the source once. @throws ArtifactError `content-changed` */
export async function measure(source: Source, { onProgress, signal }: UploadOptions = {}): Promise<Measured> {
  const hash = createHash('sha256');
  const crcs = new PartCrcs(SMALLEST_PART);
  let size = 0;
  for await (const chunk of source.read()) {
    signal?.throwIfAborted();
    hash.update(chunk);
    crcs.update(chunk);
    size += chunk.length;
    onProgress?.(chunk.length);
  }
  return { digest: `sha256:${hash.digest('hex')}`, size, crcs: crcs.finish() };
}

/** The CRC32 of every `size` bytes, the last ones fewer. */
class PartCrcs {
  readonly #size: number;
  readonly #done: number[] = [];
  #crc = 0;
  #filled = 0;

  constructor(size: number) {
    this.#size = size;
  }

  update(chunk: Uint8Array): void {
    for (let taken = 0; taken < chunk.length; ) {
      const count = Math.min(this.#size - this.#filled, chunk.length - taken);
      this.#crc = crc32(chunk.subarray(taken, taken + count), this.#crc);
      taken += count;
      this.#filled += count;
      if (this.#filled === this.#size) this.#next();
    }
  }

  finish(): readonly number[] {
    if (this.#filled > 0) this.#next();
    return this.#done;
  }

  #next(): void {
    this.#done.push(this.#crc);
    [this.#crc, this.#filled] = [0, 0];
  }
}

function crcsOf(bytes: Uint8Array): readonly number[] {
  const crcs = new PartCrcs(SMALLEST_PART);
  crcs.update(bytes);
  return crcs.finish();
}

/** Depends on the size alone, so that a rerun cuts the same parts. */
export function partSizeFor(size: number): number {
  return Math.max(SMALLEST_PART, Math.ceil(size / MOST_PARTS / MiB) * MiB);
}

/** Whether content of this size is there under its digest. */
export async function isThere(place: Place, { digest, size }: Sized): Promise<boolean> {
  try {
    return (await place.client.head({ bucket: place.bucket, key: place.layout.blob(digest) })).size === size;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/**
 * Uploads content under its digest; one part's worth in one request, more in parts. Parts that an interrupted upload of
 * the same content left are used again where their MD5 is the part's ETag. Interrupted, it leaves its parts for the rerun.
 * @throws ArtifactError `content-changed` when the bytes are not those that were measured; nothing is then there
 */
export async function uploadContent(
  place: Place,
  source: Source,
  content: Measured,
  options: UploadOptions = {},
): Promise<void> {
  if (content.size <= SMALLEST_PART) return uploadWhole(place, source, content, options);
  const { client, bucket, layout } = place;
  const address = { bucket, key: layout.blob(content.digest) };
  const { uploadId, parts: there } = (await unfinished(place, address.key)) ?? {
    uploadId: await client.createUpload({
      ...address,
      contentType: 'application/octet-stream',
      signal: options.signal,
    }),
    parts: new Map<number, ListedPart>(),
  };
  const parts = await uploadParts(place, { ...address, uploadId }, source, content, there, options);
  try {
    await client.completeUpload({ ...address, uploadId, parts, signal: options.signal });
  } catch (error) {
    // Our twin completed the same upload, or the answer to our own completion was lost.
    const gone = error instanceof ClientError && error.code === 'no-such-upload';
    if (!gone || !(await isThere(place, content))) throw error;
  }
}

async function uploadWhole(place: Place, source: Source, content: Measured, { onProgress, signal }: UploadOptions) {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source.read()) {
    size += chunk.length;
    if (size > content.size) throw changed(source);
    chunks.push(Uint8Array.from(chunk));
  }
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) !== content.digest) throw changed(source);
  const { client, bucket, layout } = place;
  const key = layout.blob(content.digest);
  await client.put({ bucket, key, body: { bytes }, contentType: 'application/octet-stream', signal });
  onProgress?.(bytes.length);
}

/** The newest upload of this very key that was not completed, with its parts. */
async function unfinished(
  { client, bucket }: Place,
  key: string,
): Promise<{ readonly uploadId: string; readonly parts: Map<number, ListedPart> } | undefined> {
  let newest: { readonly uploadId: string; readonly initiated: number } | undefined;
  try {
    for await (const upload of client.listUploads({ bucket, prefix: key })) {
      const initiated = upload.initiated ?? 0;
      if (upload.key === key && initiated >= (newest?.initiated ?? 0))
        newest = { uploadId: upload.uploadId, initiated };
    }
  } catch (error) {
    // A tenant in a shared bucket may not look at uploads, which S3 cannot limit to a prefix: it starts anew.
    if (!(error instanceof ClientError) || error.code !== 'denied') throw error;
  }
  if (newest === undefined) return undefined;
  const { uploadId } = newest;
  const parts = new Map<number, ListedPart>();
  try {
    for await (const part of client.listParts({ bucket, key, uploadId })) parts.set(part.number, part);
  } catch (error) {
    if (error instanceof ClientError && error.code === 'no-such-upload') return undefined;
    throw error;
  }
  return { uploadId, parts };
}

async function uploadParts(
  { client }: Place,
  target: { readonly bucket: string; readonly key: string; readonly uploadId: string },
  source: Source,
  content: Measured,
  there: ReadonlyMap<number, ListedPart>,
  { onProgress, signal }: UploadOptions,
): Promise<readonly UploadedPart[]> {
  const done: UploadedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let same = true;
  let number = 0;
  const size = partSizeFor(content.size);
  const free: Buffer[] = [];
  for await (const bytes of cut(source.read(), size, () => free.pop())) {
    signal?.throwIfAborted();
    const first = (number * size) / SMALLEST_PART;
    const crcs = crcsOf(bytes);
    same = crcs.every((crc, index) => content.crcs[first + index] === crc);
    if (!same) break;
    number += 1;
    const at = number;
    const left = there.get(at);
    if (left?.size === bytes.length && left.etag === createHash('md5').update(bytes).digest('hex')) {
      done[at - 1] = left;
      onProgress?.(bytes.length);
      if (bytes.length === size) free.push(bytes);
      continue;
    }
    const sending = client
      .uploadPart({ ...target, number: at, bytes, crc32: crcs.length === 1 ? crcs[0] : undefined, signal })
      .then((part) => {
        done[at - 1] = part;
        onProgress?.(bytes.length);
        if (bytes.length === size) free.push(bytes);
      })
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
    if (underWay.size >= CONCURRENCY) await Promise.race(underWay);
    if (failure !== undefined) break;
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure.error;
  if (!same || number !== Math.ceil(content.size / size)) {
    await client.abortUpload(target);
    throw changed(source);
  }
  return done;
}

/**
 * The same bytes in pieces of one size, the last one shorter.
 * @param reuse memory of that size that nobody needs any more
 */
export async function* cut(
  bytes: AsyncIterable<Uint8Array>,
  size: number,
  reuse: () => Buffer | undefined = () => undefined,
): AsyncGenerator<Buffer> {
  let piece = reuse() ?? Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const chunk of bytes) {
    for (let taken = 0; taken < chunk.length; ) {
      const count = Math.min(size - filled, chunk.length - taken);
      piece.set(chunk.subarray(taken, taken + count), filled);
      taken += count;
      filled += count;
      if (filled < size) continue;
      yield piece;
      piece = reuse() ?? Buffer.allocUnsafe(size);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function changed(source: Source): ArtifactError {
  return new ArtifactError('content-changed', `${source.title} changed while it was pushed`, {
    subject: source.title,
    advice: 'push it again when nobody writes to it; no version was made',
  });
}
