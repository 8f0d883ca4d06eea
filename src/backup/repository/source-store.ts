import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { BackupError } from '../errors.ts';
import type { BlobStore, Placed, Wanted } from '../source/port.ts';
import { openBlob, tagOf } from './blob.ts';
import { pack } from './codec.ts';
import { openDocument, sealDocument } from './document.ts';
import { type BlobRef, type DocumentRef, type Snapshot, snapshotSchema } from './model.ts';
import { documentKey, packKey, parseSnapshotKey, type SnapshotName, snapshotKey, sourceFolder } from './names.ts';
import type { PageFile } from './pieces.ts';
import { readBlobs } from './reader.ts';
import { changed, type SealedKind, seal } from './sealed.ts';
import type { Storage, StoredObject } from './storage.ts';
import { writeBlobs } from './write-blobs.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * What the repository keeps of one source. Names are below the source's folder, and nothing is shared with other sources:
 * so each has its own size and cost, and a node's key can be limited to it.
 */
export class SourceStore implements BlobStore {
  readonly source: string;
  readonly storage: Storage;
  readonly #master: Buffer;
  readonly #folder: string;

  constructor(storage: Storage, master: Buffer, source: string) {
    this.storage = storage;
    this.source = source;
    this.#master = master;
    this.#folder = sourceFolder(source);
  }

  /** For messages: where an object of this source is. */
  subject(name: string): string {
    return `${this.#folder}${name}`;
  }

  async sealBlob(
    plain: Buffer,
  ): Promise<{ readonly bytes: Buffer; readonly facts: Pick<BlobRef, 'codec' | 'raw' | 'tag'> }> {
    const packed = await pack(plain);
    const bytes = seal(this.#master, 'blob', packed.bytes);
    return { bytes, facts: { codec: packed.codec, raw: plain.length, tag: tagOf(bytes) } };
  }

  /** @throws BackupError `damaged` */
  openBlob(ref: BlobRef, sealed: Buffer): Promise<Buffer> {
    return openBlob(this.#master, ref, sealed, this.#blobSubject(ref));
  }

  #blobSubject({ pack, offset }: BlobRef): string {
    return `${this.subject(packKey(pack))} at ${offset}`;
  }

  /** @returns the pack's name */
  async putPack(bytes: Buffer): Promise<string> {
    const name = sha256(bytes);
    await this.storage.write(this.subject(packKey(name)), bytes, { sha256: name });
    return name;
  }

  /** Part of a pack, or all of it. @throws BackupError `damaged` where it is not there */
  async readPack(name: string, start: number, length: number): Promise<Buffer> {
    const key = this.subject(packKey(name));
    const bytes = await this.storage.read(key, { start, end: start + length - 1 });
    if (bytes === undefined) throw changed(key, 'it is missing');
    if (bytes.length !== length) throw changed(key, `${bytes.length} bytes instead of ${length}`);
    return bytes;
  }

  /** A sealed, packed JSON document, named by its bytes. */
  async putDocument(kind: SealedKind, content: unknown): Promise<DocumentRef> {
    const bytes = await sealDocument(this.#master, kind, content);
    const name = sha256(bytes);
    await this.storage.write(this.subject(documentKey(name)), bytes, { sha256: name });
    return { name, bytes: bytes.length };
  }

  /** @throws BackupError `damaged` */
  async readDocument<T>(kind: SealedKind, ref: DocumentRef, schema: z.ZodType<T>): Promise<T> {
    const key = this.subject(documentKey(ref.name));
    const bytes = await this.storage.read(key);
    if (bytes === undefined) throw changed(key, 'it is missing');
    if (sha256(bytes) !== ref.name) throw changed(key, 'its bytes differ from its name');
    return openDocument(this.#master, kind, bytes, key, schema);
  }

  /** A list of blobs. @throws BackupError `damaged` */
  document<T>(ref: DocumentRef, schema: z.ZodType<T>): Promise<T> {
    return this.readDocument('layer', ref, schema);
  }

  /** @throws BackupError `damaged` */
  blobs<T>(wanted: readonly Wanted<T>[]): AsyncIterable<{ readonly what: T; readonly bytes: Buffer }> {
    return readBlobs(this, wanted);
  }

  /** @throws BackupError `damaged`; the system's error */
  write(placed: readonly Placed[], file: PageFile): AsyncIterable<readonly Placed[]> {
    const source = {
      master: this.#master,
      readPack: (name: string, start: number, length: number) => this.readPack(name, start, length),
      blobSubject: (blob: BlobRef) => this.#blobSubject(blob),
    };
    return writeBlobs(source, placed, file);
  }

  async putSnapshot(snapshot: Snapshot): Promise<void> {
    const key = this.subject(snapshotKey(snapshot));
    await this.storage.write(key, await sealDocument(this.#master, 'snapshot', snapshot), { once: true });
  }

  /**
   * Names of its snapshots, the newest first; a page of 1,000 is one request, and no snapshot is read. Of several with one
   * sequence, as writers at once leave them, the latest comes first: among keys it is the last.
   */
  async *names(pageSize?: number): AsyncGenerator<SnapshotName> {
    let equal: SnapshotName[] = [];
    for await (const { name } of this.list('snapshots/', pageSize)) {
      const parsed = parseSnapshotKey(name);
      if (parsed === undefined) continue;
      if (equal[0] !== undefined && equal[0].sequence !== parsed.sequence) {
        yield* equal.reverse();
        equal = [];
      }
      equal.push(parsed);
    }
    yield* equal.reverse();
  }

  /** Undefined: it is not there any more. @throws BackupError `damaged`, `repository-format` */
  async readSnapshot({ key }: Pick<SnapshotName, 'key'>): Promise<Snapshot | undefined> {
    const subject = this.subject(key);
    const bytes = await this.storage.read(subject);
    if (bytes === undefined) return undefined;
    const snapshot = await openDocument(this.#master, 'snapshot', bytes, subject, snapshotSchema);
    if (snapshotKey(snapshot) !== key || snapshot.source !== this.source) throw changed(subject, 'it is another one');
    return snapshot;
  }

  /** Newest first. What cannot be read is told to `onDamage`, or thrown without one. */
  async *snapshots(onDamage?: (error: BackupError) => void): AsyncGenerator<Snapshot> {
    for await (const name of this.names()) {
      try {
        const snapshot = await this.readSnapshot(name);
        if (snapshot !== undefined) yield snapshot;
      } catch (error) {
        if (!(error instanceof BackupError) || onDamage === undefined) throw error;
        onDamage(error);
      }
    }
  }

  async newestName(): Promise<SnapshotName | undefined> {
    for await (const name of this.names(2)) return name;
    return undefined;
  }

  /** Two requests, whatever the repository's age. @throws BackupError `damaged` */
  async newest(): Promise<Snapshot | undefined> {
    const name = await this.newestName();
    return name === undefined ? undefined : this.readSnapshot(name);
  }

  /** Whether an object is there: one request. */
  async has(name: string): Promise<boolean> {
    for await (const found of this.list(name, 1)) return found.name === name;
    return false;
  }

  /** A sealed record under a name of its own, such as a drill's result. */
  async putRecord(name: string, content: unknown): Promise<void> {
    await this.storage.overwrite(this.subject(name), await sealDocument(this.#master, 'record', { name, content }));
  }

  /** Undefined: it is not there. @throws BackupError `damaged` */
  async readRecord<T>(name: string, schema: z.ZodType<{ name: string; content: T }>): Promise<T | undefined> {
    const subject = this.subject(name);
    const bytes = await this.storage.read(subject);
    if (bytes === undefined) return undefined;
    const record = await openDocument(this.#master, 'record', bytes, subject, schema);
    if (record.name !== name) throw changed(subject, 'it is another one');
    return record.content;
  }

  async *list(prefix: string, pageSize?: number): AsyncGenerator<StoredObject> {
    for await (const object of this.storage.list(this.subject(prefix), { pageSize })) {
      yield { ...object, name: object.name.slice(this.#folder.length) };
    }
  }

  remove(name: string): Promise<void> {
    return this.storage.remove(this.subject(name));
  }

  removeAll(names: readonly string[]): Promise<void> {
    return this.storage.removeAll(names.map((name) => this.subject(name)));
  }
}
