import { EtagHasher, type Layout, layoutsOf } from './etag.ts';
import type { ListedObject, OpenObject, Place } from './place.ts';
import { openResumed } from './resumed.ts';

export interface VerifyContext {
  readonly source: Place;
  readonly destination: Place;
  progress(bytes: number): void;
  readonly signal: AbortSignal;
}

const WHOLE = Number.POSITIVE_INFINITY;

/**
 * Reads the destination's object again and compares it with the source's ETag; where that is no MD5 of known parts, with
 * the source's bytes, which are then read too.
 * @returns what is different, or undefined
 */
export async function differenceOf(object: ListedObject, context: VerifyContext): Promise<string | undefined> {
  const { source, destination, signal, progress } = context;
  const candidates = layoutsOf(object.etag, object.size);
  const there = await read(await openResumed(destination, object.key, signal), [...candidates, WHOLE], progress);
  if (there.size !== object.size) return `${object.size} bytes at the source, ${there.size} at the destination`;
  if (candidates.some((layout) => there.etags.get(layout) === object.etag)) return undefined;
  const here = await read(await openResumed(source, object.key, signal), [WHOLE], () => {});
  const [expected, found] = [here.etags.get(WHOLE), there.etags.get(WHOLE)];
  return expected === found ? undefined : `the source has the MD5 ${expected}, the destination ${found}`;
}

/** Whether a file holds the bytes of the other side, told without reading a bucket. */
export async function sameBytes(
  object: ListedObject,
  there: ListedObject,
  { source, destination, signal }: VerifyContext,
): Promise<boolean> {
  const none = () => {};
  const etag = object.etag ?? there.etag;
  if (etag === undefined) {
    const [here, other] = await Promise.all(
      [source, destination].map(async (place) => read(await openResumed(place, object.key, signal), [WHOLE], none)),
    );
    return here !== undefined && here.size === other?.size && here.etags.get(WHOLE) === other.etags.get(WHOLE);
  }
  const candidates = layoutsOf(etag, object.size);
  if (candidates.length === 0) return false;
  const file = object.etag === undefined ? source : destination;
  const { etags } = await read(await openResumed(file, object.key, signal), candidates, none);
  return [...etags.values()].includes(etag);
}

async function read(
  object: OpenObject,
  layouts: readonly Layout[],
  progress: (bytes: number) => void,
): Promise<{ readonly size: number; readonly etags: ReadonlyMap<Layout, string> }> {
  const hasher = new EtagHasher(layouts);
  let size = 0;
  try {
    for await (const chunk of object.body) {
      hasher.update(chunk);
      size += chunk.length;
      progress(chunk.length);
    }
  } finally {
    await object.close();
  }
  return { size, etags: hasher.digest() };
}
