import { MiB } from '../../core/sizes.ts';
import type { BlobRef } from './model.ts';
import type { SourceStore } from './source-store.ts';

const AT_ONCE = 4;
const MOST = 8 * MiB;

export interface Wanted<T> {
  readonly blob: BlobRef;
  readonly what: T;
}

/**
 * Reads blobs in their order: neighbours of a pack in one request, some requests ahead of what is used.
 * @throws BackupError `damaged`
 */
export async function* readBlobs<T>(
  store: SourceStore,
  wanted: readonly Wanted<T>[],
): AsyncGenerator<{ readonly what: T; readonly bytes: Buffer }> {
  const groups = grouped(wanted);
  const fetches: Promise<Buffer>[] = [];
  const begin = (index: number) => {
    const group = groups[index];
    if (group === undefined) return;
    const fetch = store.readPack(group.pack, group.start, group.length);
    // It is awaited in its turn; until then a failure must not count as unhandled.
    fetch.catch(() => undefined);
    fetches[index] = fetch;
  };
  for (let index = 0; index < AT_ONCE; index++) begin(index);
  for (const [index, group] of groups.entries()) {
    const bytes = await fetches[index];
    delete fetches[index];
    begin(index + AT_ONCE);
    if (bytes === undefined) continue;
    for (const { blob, what } of group.blobs) {
      const at = blob.offset - group.start;
      yield { what, bytes: store.openBlob(blob, bytes.subarray(at, at + blob.length)) };
    }
  }
}

function grouped<T>(wanted: readonly Wanted<T>[]) {
  const groups: { pack: string; start: number; length: number; blobs: Wanted<T>[] }[] = [];
  for (const one of wanted) {
    const { pack, offset, length } = one.blob;
    const last = groups.at(-1);
    if (last?.pack === pack && last.start + last.length === offset && last.length + length <= MOST) {
      last.length += length;
      last.blobs.push(one);
    } else groups.push({ pack, start: offset, length, blobs: [one] });
  }
  return groups;
}
