import { createHash } from 'node:crypto';
import type { ObjectHeaders } from '../client/index.ts';
import type { Budget } from './budget.ts';
import { TransferError } from './errors.ts';
import { EtagHasher, layoutsOf, ourLayout, partsEtag } from './etag.ts';
import type { Leftover, ObjectWriter, OpenObject, Place, Stored } from './place.ts';
import { changed, openResumed } from './resumed.ts';

export interface CopyContext {
  readonly source: Place;
  readonly destination: Place;
  /** For the bytes in memory. */
  readonly budget: Budget;
  /** Parts of one object under way at once. */
  readonly partsAtOnce: number;
  note(leftover: Leftover): Promise<void>;
  progress(bytes: number): void;
  readonly signal: AbortSignal;
}

export interface Copied {
  readonly bytes: number;
  /** The version that was read. */
  readonly version: string;
  readonly stored: Stored;
  readonly readChecked: boolean;
  readonly headersDropped: boolean;
  readonly tagsDropped: boolean;
}

/**
 * Copies one object: hashed while it is read, held against the source's own checksum before anybody can see it at the
 * destination, and against what the destination says it stored.
 * @throws TransferError `vanished`, `changed`, `damaged`, `not-stored`; ClientError; HostError and system errors of a disk
 */
export async function copyObject(key: string, context: CopyContext): Promise<Copied> {
  const { source, destination, signal } = context;
  const object = await openResumed(source, key, signal);
  let writer: ObjectWriter | undefined;
  try {
    const { headers, headersDropped, tagsDropped } = await kept(object, source, destination);
    const candidates = object.opaqueEtag ? [] : layoutsOf(object.etag, object.size);
    // Sending computes our own layout anyway.
    const ours = ourLayout(object.size);
    const hasher = new EtagHasher(candidates.filter((layout) => layout !== ours));
    writer = await destination.begin(
      { key, size: object.size, modified: object.modified, headers },
      context.note,
      signal,
    );
    const { etag, release } = await send(object, writer, hasher, context);
    try {
      const readChecked = checkRead(object, [etag, ...hasher.digest().values()], candidates.length);
      if (!(await object.unchanged())) throw changed(key);
      signal.throwIfAborted();
      const stored = await writer.finish(etag);
      return { bytes: object.size, version: object.version, stored, readChecked, headersDropped, tagsDropped };
    } finally {
      release();
    }
  } catch (error) {
    await writer?.abort().catch(() => undefined);
    throw error;
  } finally {
    await object.close();
  }
}

/** Cuts the stream into parts and writes several at once; never more than the budget is in memory. */
async function send(
  object: OpenObject,
  writer: ObjectWriter,
  hasher: EtagHasher,
  { budget, partsAtOnce, progress, signal }: CopyContext,
): Promise<{ readonly etag: string; readonly release: () => void }> {
  const layout = ourLayout(object.size);
  const single = !Number.isFinite(layout);
  const chunks = object.body[Symbol.asyncIterator]();
  const md5s: Buffer[] = [];
  const flying = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let rest: Uint8Array = new Uint8Array();
  let left = object.size;
  let release = () => {};
  try {
    for (let index = 0; index === 0 || left > 0; index += 1) {
      const size = Math.min(left, layout);
      const free = await budget.take(size);
      release = free;
      const part = Buffer.allocUnsafe(size);
      for (let filled = 0; filled < size; ) {
        if (rest.length === 0) {
          const next = await chunks.next();
          if (next.done === true) throw changed(object.key);
          rest = next.value;
        }
        const take = rest.subarray(0, size - filled);
        part.set(take, filled);
        hasher.update(take);
        filled += take.length;
        rest = rest.subarray(take.length);
        progress(take.length);
      }
      left -= size;
      const md5 = createHash('md5').update(part).digest();
      md5s.push(md5);
      if (failure !== undefined) throw failure.error;
      signal.throwIfAborted();
      if (single) {
        await writer.write(0, part, md5);
        continue;
      }
      const sending = writer
        .write(index, part, md5)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          free();
          flying.delete(sending);
        });
      flying.add(sending);
      if (flying.size >= partsAtOnce) await Promise.race(flying);
    }
    // More than was announced: the stream must end here.
    if (rest.length > 0 || (await chunks.next()).done !== true) throw changed(object.key);
    await Promise.all(flying);
    if (failure !== undefined) throw failure.error;
    const first = md5s[0];
    return { etag: single && first !== undefined ? first.toString('hex') : partsEtag(md5s), release };
  } catch (error) {
    await Promise.all(flying);
    release();
    throw error;
  }
}

/** Whether the source's ETag could be compared. A plain MD5 that is another one is damage on the way or at the source. */
function checkRead(object: OpenObject, computed: readonly string[], candidates: number): boolean {
  const { etag, key } = object;
  if (etag === undefined || candidates === 0) return false;
  if (computed.includes(etag)) return true;
  // Of an unknown part size nothing follows.
  if (etag.includes('-')) return false;
  throw new TransferError('damaged', `${key}: the bytes read have the MD5 ${computed.at(-1)}, its ETag says ${etag}`, {
    subject: key,
    advice: 'read it again; if it stays so, the source is damaged (or encrypts without saying so)',
  });
}

async function kept(object: OpenObject, source: Place, destination: Place) {
  const tags = source.keeps.tags ? await object.tags() : undefined;
  const { contentType, metadata, ...others } = object.headers;
  const has =
    (contentType !== undefined && !/^(?:application|binary)\/octet-stream$/.test(contentType)) ||
    Object.keys(metadata ?? {}).length > 0 ||
    Object.values(others).some((value) => value !== undefined);
  const headers: ObjectHeaders = destination.keeps.headers
    ? { ...object.headers, ...(destination.keeps.tags && tags !== undefined ? { tags } : {}) }
    : {};
  return {
    headers,
    headersDropped: has && !destination.keeps.headers,
    tagsDropped: tags !== undefined && !destination.keeps.tags,
  };
}
