import { META_BYTES, META_PAGES, type Meta } from './layout.ts';

/**
 * The three meta pages of a restored environment: the snapshot's own in its slot, as steady, and two that libmdbx takes
 * as never used (transaction 0), since what they referred to is not there.
 */
export function metaPages(meta: Meta): Buffer {
  const bytes = Buffer.alloc(META_PAGES * meta.pageSize);
  for (let slot = 0; slot < META_PAGES; slot++) {
    const at = slot * meta.pageSize;
    meta.bytes.copy(bytes, at, 0, META_BYTES);
    bytes.writeUInt32LE(slot, at + 16);
    if (slot === meta.slot) {
      // As libmdbx signs a meta whose data was synced.
      if (!meta.steady) bytes.fill(0xff, at + 188, at + 196);
    } else {
      bytes.fill(0, at + 28, at + 36);
      bytes.fill(0, at + 196, at + 204);
    }
  }
  return bytes;
}
