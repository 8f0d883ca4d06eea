import { MiB } from '../../core/sizes.ts';
import { SegmentWriter } from '../mdbx/segments.ts';
import type { Segment } from '../repository/model.ts';
import { Packer } from '../repository/packer.ts';
import { grouped, WHOLE_PACKS } from '../repository/reader.ts';
import type { SourceStore } from '../repository/source-store.ts';

/** A segment of which some pages are written anew. */
export interface Rewritten {
  readonly segment: Segment;
  /** Whether the page at this place of the segment counts; no page counts in two segments. */
  readonly counts: readonly boolean[];
}

/** Packs that are held until all of their pages were taken. */
const HELD_BYTES = 64 * MiB;
/** Blobs that are held open, 1 MiB each. A layer is ascending for the most part, and needs one or two at a time. */
const OPEN_BLOBS = 48;

interface Part extends Rewritten {
  readonly group: Group;
  /** Pages that were not taken yet. */
  left: number;
}

interface Group {
  readonly pack: string;
  readonly start: number;
  readonly length: number;
  bytes?: Buffer;
  /** Parts of which pages were not taken yet. */
  left: number;
}

/** A blob's pages, by their numbers. */
interface Opened {
  readonly plain: Buffer;
  readonly places: ReadonlyMap<number, number>;
}

export interface RewriteOptions {
  /** Bytes. */
  readonly pageSize: number;
  /** Pages are below it; takes 4 bytes a page. */
  readonly end: number;
  /** Bytes of packs that are held. Default 64 MiB. */
  readonly held?: number;
  /** Blobs that are held open. Default 48. */
  readonly open?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes pages anew in the order of the file, so that whoever restores finds few and long runs. Each pack is read once; where
 * more of them than are held have pages of one place, the others' pages come in another pass.
 * @throws BackupError `damaged`
 */
export async function rewrite(
  store: SourceStore,
  rewritten: readonly Rewritten[],
  { pageSize, end, held: mostHeld = HELD_BYTES, open = OPEN_BLOBS, signal }: RewriteOptions,
): Promise<readonly Segment[]> {
  const parts = partsOf(rewritten);
  // Which part holds a page: one more than its index, 0 where none does.
  const owner = new Uint32Array(end);
  for (const [index, { segment, counts }] of parts.entries()) {
    for (const [at, page] of pagesOf(segment).entries()) if (counts[at] === true) owner[page] = index + 1;
  }
  const packer = new Packer(store);
  const writer = new SegmentWriter(packer, pageSize);
  const blobs = new OpenBlobs(store, open);
  for (let pending = new Set(parts.map(({ group }) => group)); pending.size > 0; ) {
    const later = new Set<Group>();
    let held = 0;
    for (let page = 0; page < end; page++) {
      const part = parts[(owner[page] ?? 0) - 1];
      if (part === undefined || later.has(part.group)) continue;
      const { group } = part;
      if (group.bytes === undefined) {
        signal?.throwIfAborted();
        if (held > 0 && held + group.length > mostHeld) {
          later.add(group);
          continue;
        }
        held += group.length;
        group.bytes = await store.readPack(group.pack, group.start, group.length);
      }
      const { plain, places } = await blobs.open(part, group.bytes);
      const at = places.get(page) ?? 0;
      await writer.put(page, plain.subarray(at * pageSize, (at + 1) * pageSize));
      owner[page] = 0;
      part.left -= 1;
      if (part.left > 0) continue;
      blobs.close(part);
      group.left -= 1;
      if (group.left > 0) continue;
      delete group.bytes;
      held -= group.length;
    }
    pending = later;
  }
  const segments = await writer.finish();
  await packer.finish();
  return segments;
}

function partsOf(rewritten: readonly Rewritten[]): readonly Part[] {
  const wanted = rewritten.map((what) => ({ blob: what.segment.blob, what }));
  return grouped(wanted, WHOLE_PACKS).flatMap(({ pack, start, length, blobs }) => {
    const group: Group = { pack, start, length, left: blobs.length };
    return blobs.map(({ what }) => ({ ...what, group, left: what.counts.filter(Boolean).length }));
  });
}

class OpenBlobs {
  readonly #store: SourceStore;
  readonly #most: number;
  readonly #opened = new Map<Part, Opened>();

  constructor(store: SourceStore, most: number) {
    this.#store = store;
    this.#most = most;
  }

  /** @param bytes of the part's group */
  async open(part: Part, bytes: Buffer): Promise<Opened> {
    const known = this.#opened.get(part);
    if (known !== undefined) return known;
    const { blob } = part.segment;
    const from = blob.offset - part.group.start;
    const plain = await this.#store.openBlob(blob, bytes.subarray(from, from + blob.length));
    const opened = { plain, places: placesOf(part) };
    this.#opened.set(part, opened);
    // The one that was opened first goes: what it still has is the farthest behind.
    const [oldest] = this.#opened.keys();
    if (this.#opened.size > this.#most && oldest !== undefined) this.#opened.delete(oldest);
    return opened;
  }

  close(part: Part): void {
    this.#opened.delete(part);
  }
}

function placesOf({ segment, counts }: Rewritten): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  for (const [at, page] of pagesOf(segment).entries()) if (counts[at] === true) places.set(page, at);
  return places;
}

export const pagesOf = ({ runs }: Segment): number[] =>
  runs.flatMap(([first, count]) => Array.from({ length: count }, (_, index) => first + index));
