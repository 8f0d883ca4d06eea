import { ahead, handled } from '../../core/ahead.ts';
import { MiB } from '../../core/sizes.ts';
import type { Wanted } from '../source/port.ts';
import type { BlobRef } from './model.ts';

export interface Reach {
  /** Bytes that one request asks for at most, unless a blob is larger. */
  readonly most: number;
  /** Bytes of others between two blobs that are read along rather than asked around. */
  readonly gap: number;
}

/** The fastest within little memory. */
export const SWIFT: Reach = { most: 4 * MiB, gap: MiB / 2 };
/** The fewest requests: one for each pack. */
export const WHOLE_PACKS: Reach = { most: 20 * MiB, gap: 20 * MiB };
/** Bytes that are asked for ahead of what is used. */
export const AHEAD = 16 * MiB;

/** Blobs that are opened side by side. */
const OPENS = 6;

export interface PackReader {
  readPack(name: string, start: number, length: number): Promise<Buffer>;
  openBlob(ref: BlobRef, sealed: Buffer): Promise<Buffer>;
}

/**
 * Reads blobs in their order: neighbours of a pack in one request, some requests ahead of what is used.
 * @throws BackupError `damaged`
 */
export async function* readBlobs<T>(
  store: PackReader,
  wanted: readonly Wanted<T>[],
): AsyncGenerator<{ readonly what: T; readonly bytes: Buffer }> {
  for await (const { what, opened } of ahead(opening(store, wanted), OPENS)) yield { what, bytes: await opened };
}

async function* opening<T>(store: PackReader, wanted: readonly Wanted<T>[]) {
  const fetches = (function* () {
    for (const group of grouped(wanted, SWIFT)) {
      const fetched = store.readPack(group.pack, group.start, group.length);
      yield { group, fetched: handled(fetched) };
    }
  })();
  for await (const { group, fetched } of ahead(fetches, AHEAD, weightOf)) {
    const bytes = await fetched;
    for (const { blob, what } of group.blobs) {
      const at = blob.offset - group.start;
      yield { what, opened: handled(store.openBlob(blob, bytes.subarray(at, at + blob.length))) };
    }
  }
}

/** Of a group: so many small ones are asked for at once as there are MiB of large ones. */
export const weightOf = ({ group }: { readonly group: { readonly length: number } }): number =>
  Math.max(group.length, MiB);

/** Neighbours of a pack that come after each other. */
export function grouped<T>(wanted: readonly Wanted<T>[], { most, gap }: Reach) {
  const groups: { pack: string; start: number; length: number; blobs: Wanted<T>[] }[] = [];
  for (const one of wanted) {
    const { pack, offset, length } = one.blob;
    const last = groups.at(-1);
    const between = last?.pack === pack ? offset - last.start - last.length : -1;
    const together = offset + length - (last?.start ?? 0);
    if (last !== undefined && between >= 0 && between <= gap && together <= most) {
      last.length = together;
      last.blobs.push(one);
    } else groups.push({ pack, start: offset, length, blobs: [one] });
  }
  return groups;
}
