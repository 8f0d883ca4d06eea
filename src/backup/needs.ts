import { BackupError } from './errors.ts';
import { type BlobRef, type DocumentRef, layerSchema, type Snapshot, treeSchema } from './repository/model.ts';
import type { SourceStore } from './repository/source-store.ts';

export const documentsOf = ({ content }: Snapshot): readonly DocumentRef[] =>
  content.kind === 'mdbx' ? content.layers : [content.tree];

/** Reads each document once, whatever snapshots share it, and answers what it refers to. */
export class Needs {
  readonly #store: SourceStore;
  readonly #blobs = new Map<string, Promise<readonly BlobRef[]>>();

  constructor(store: SourceStore) {
    this.#store = store;
  }

  /** @throws BackupError `damaged` */
  blobs(ref: DocumentRef, kind: Snapshot['content']['kind']): Promise<readonly BlobRef[]> {
    const known = this.#blobs.get(ref.name);
    if (known !== undefined) return known;
    const read = this.#read(ref, kind);
    this.#blobs.set(ref.name, read);
    return read;
  }

  async #read(ref: DocumentRef, kind: Snapshot['content']['kind']): Promise<readonly BlobRef[]> {
    if (kind === 'mdbx') {
      const { segments } = await this.#store.readDocument('layer', ref, layerSchema);
      return segments.map(({ blob }) => blob);
    }
    const { entries } = await this.#store.readDocument('layer', ref, treeSchema);
    return entries.flatMap((entry) => (entry.kind === 'file' ? entry.blobs : []));
  }
}

/** Names of the packs that a snapshot needs, with the furthest byte of each. */
export async function packsOf(snapshot: Snapshot, needs: Needs): Promise<ReadonlyMap<string, number>> {
  const packs = new Map<string, number>();
  for (const ref of documentsOf(snapshot)) {
    for (const { pack, offset, length } of await needs.blobs(ref, snapshot.content.kind)) {
      packs.set(pack, Math.max(packs.get(pack) ?? 0, offset + length));
    }
  }
  return packs;
}

export const isDamage = (error: unknown): error is BackupError =>
  error instanceof BackupError && (error.code === 'damaged' || error.code === 'repository-format');
