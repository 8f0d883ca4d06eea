import type { Index } from '../index/database.ts';
import { decodeManifest, encodeManifest, type ManifestPart } from '../index/manifest.ts';
import type { ManifestReference, ObjectRecord } from '../index/records.ts';
import { type BodyReference, bodyKey } from './reference.ts';
import type { Segments } from './segments.ts';
import type { Trash } from './trash.ts';
import type { WrittenBody } from './writer.ts';

/**
 * Who refers to which body. All methods run inside a transaction, in the same commit as the object or part they serve.
 */
export class BodyReferences {
  readonly #index: Index;
  readonly #segments: Segments;
  readonly #trash: Trash;

  constructor(index: Index, segments: Segments, trash: Trash) {
    this.#index = index;
    this.#segments = segments;
    this.#trash = trash;
  }

  /** The first reference to a body that was just written. */
  adopt(written: WrittenBody): void {
    const { reference } = written;
    if (reference.kind === 'inline' && written.inline !== undefined) {
      this.#index.inline.putSync(bodyKey(reference), written.inline);
    } else if (reference.kind === 'file') {
      this.#index.files.putSync(bodyKey(reference), { size: reference.size, references: 1 });
      if (written.sums !== undefined) this.#index.sums.putSync(bodyKey(reference), written.sums);
    }
  }

  /** One more reference for a copy; inline bytes are copied, since they have no count. */
  share(body: ObjectRecord['body']): ObjectRecord['body'] {
    if (body.kind !== 'manifest') return this.#shareOne(body);
    const parts = this.parts(body);
    return this.newManifest(
      parts.map((part) => ({ ...part, body: this.#shareOne(part.body) })),
      body.size,
    );
  }

  /** One reference less; the last one takes the bytes along. */
  release(body: ObjectRecord['body']): void {
    if (body.kind !== 'manifest') {
      this.#releaseOne(body);
      return;
    }
    for (const part of this.parts(body)) this.#releaseOne(part.body);
    this.#index.manifests.removeSync(bodyKey(body));
  }

  newManifest(parts: readonly ManifestPart[], size: number): ManifestReference {
    const reference: ManifestReference = { kind: 'manifest', ...this.#segments.inline(), size };
    this.#index.manifests.putSync(bodyKey(reference), encodeManifest(parts));
    return reference;
  }

  /** Outside of transactions as well. */
  parts(body: ManifestReference): readonly ManifestPart[] {
    const bytes = this.#index.manifests.get(bodyKey(body));
    return bytes === undefined ? [] : decodeManifest(bytes);
  }

  #shareOne(body: BodyReference): BodyReference {
    switch (body.kind) {
      case 'empty':
        return body;
      case 'inline': {
        const copy: BodyReference = { kind: 'inline', ...this.#segments.inline(), size: body.size };
        this.#index.inline.putSync(bodyKey(copy), this.#index.inline.get(bodyKey(body)) ?? Buffer.alloc(0));
        return copy;
      }
      case 'file': {
        const file = this.#index.files.get(bodyKey(body));
        this.#index.files.putSync(bodyKey(body), { size: body.size, references: (file?.references ?? 1) + 1 });
        return body;
      }
    }
  }

  #releaseOne(body: BodyReference): void {
    if (body.kind === 'inline') this.#index.inline.removeSync(bodyKey(body));
    if (body.kind !== 'file') return;
    const file = this.#index.files.get(bodyKey(body));
    if (file !== undefined && file.references > 1) {
      this.#index.files.putSync(bodyKey(body), { ...file, references: file.references - 1 });
      return;
    }
    this.#index.files.removeSync(bodyKey(body));
    this.#index.sums.removeSync(bodyKey(body));
    this.#trash.add(body);
  }
}
