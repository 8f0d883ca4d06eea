import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { ClientError, type ObjectClient } from '../../client/index.ts';
import type { Secret } from '../../core/secret.ts';
import { BackupError } from '../errors.ts';
import { pack, unpack } from './codec.ts';
import { newSlot, openSlot, slotSchema } from './keys.ts';
import { type BlobRef, configSchema, type DocumentRef, type Snapshot, snapshotSchema } from './model.ts';
import { changed, type SealedKind, seal, unseal } from './sealed.ts';

/** Where a repository is. */
export interface RepositoryPlace {
  readonly client: ObjectClient;
  readonly bucket: string;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
}

export interface StoredObject {
  readonly name: string;
  readonly size: number;
  readonly modified: number | undefined;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Newest first in the order of keys, so that the latest is one request whatever the repository's age. */
const LAST_TIME = 9_999_999_999_999;
const stamp = (time: number): string => String(LAST_TIME - time).padStart(13, '0');

/**
 * The repository format, version 1 (docs/reference/backup-format.md): immutable objects only. What is written is named by
 * the SHA-256 of its bytes, and a snapshot is written when all that it needs is there.
 */
export class Repository {
  readonly place: RepositoryPlace;
  readonly #master: Buffer;
  /** Requests sent through this, for the budget. */
  requests = 0;

  private constructor(place: RepositoryPlace, master: Buffer) {
    this.place = place;
    this.#master = master;
  }

  /** @throws BackupError `repository-exists` */
  static async init(place: RepositoryPlace, secret: Secret): Promise<Repository> {
    if ((await read(place, 'config')) !== undefined) {
      throw new BackupError('repository-exists', `there is a backup repository in ${where(place)} already`, {
        subject: where(place),
        advice: 'use it, or name another S3_BUCKET_BACKUP or S3_PREFIX_BACKUP',
      });
    }
    const master = randomBytes(32);
    // The slot first: a repository that has its config can be opened.
    await write(place, `keys/${randomBytes(8).toString('hex')}`, json(newSlot(master, secret)));
    const config = { format: 'bucketwright-backup', version: 1, id: randomBytes(16).toString('hex') };
    await write(place, 'config', json(config));
    return Repository.open(place, secret);
  }

  /** @throws BackupError `no-repository`, `repository-format`, `wrong-key` */
  static async open(place: RepositoryPlace, secret: Secret): Promise<Repository> {
    const config = await read(place, 'config');
    if (config === undefined) {
      throw new BackupError('no-repository', `there is no backup repository in ${where(place)}`, {
        subject: where(place),
        advice: 'make one: bucketwright backup init',
      });
    }
    if (!configSchema.safeParse(parsed(config, `${where(place)}config`)).success) {
      throw new BackupError('repository-format', `${where(place)}config is of an unknown format or version`, {
        subject: where(place),
        advice: 'use the release of bucketwright that wrote it, or another prefix',
      });
    }
    for await (const { name } of listed(place, 'keys/')) {
      const bytes = await read(place, name);
      const slot = bytes === undefined ? undefined : slotSchema.safeParse(parsed(bytes, name)).data;
      const master = slot === undefined ? undefined : openSlot(slot, secret);
      if (master !== undefined) return new Repository(place, master);
    }
    throw new BackupError('wrong-key', `the passphrase opens none of the key slots of ${where(place)}`, {
      subject: where(place),
      advice: 'check BUCKETWRIGHT_BACKUP_PASSPHRASE (or its _FILE), and that the prefix is the right one',
    });
  }

  /** A further passphrase. @returns the slot's name */
  async addKey(secret: Secret): Promise<string> {
    const name = randomBytes(8).toString('hex');
    await this.#write(`keys/${name}`, json(newSlot(this.#master, secret)));
    return name;
  }

  /** Removes all slots but `keep`: older passphrases open nothing any more. @returns how many */
  async removeOtherKeys(keep: string): Promise<number> {
    let removed = 0;
    for await (const { name } of this.list('keys/')) {
      if (name === `keys/${keep}`) continue;
      await this.remove(name);
      removed += 1;
    }
    return removed;
  }

  sealBlob(plain: Buffer): { readonly bytes: Buffer; readonly facts: Pick<BlobRef, 'codec' | 'raw' | 'sha256'> } {
    const packed = pack(plain);
    return {
      bytes: seal(this.#master, 'blob', packed.bytes),
      facts: { codec: packed.codec, raw: plain.length, sha256: sha256(plain) },
    };
  }

  /** @throws BackupError `damaged` */
  openBlob(ref: BlobRef, sealed: Buffer): Buffer {
    const subject = `packs/${ref.pack} at ${ref.offset}`;
    const plain = unpack(ref.codec, unseal(this.#master, 'blob', sealed, subject), ref.raw);
    if (plain.length !== ref.raw || sha256(plain) !== ref.sha256) throw changed(subject, 'its content differs');
    return plain;
  }

  /** @returns the pack's name */
  async putPack(bytes: Buffer): Promise<string> {
    const name = sha256(bytes);
    await this.#write(packKey(name), bytes);
    return name;
  }

  /** Part of a pack, or all of it. @throws BackupError `damaged` where it is not there */
  async readPack(name: string, start: number, length: number): Promise<Buffer> {
    this.requests += 1;
    const bytes = await read(this.place, packKey(name), { start, end: start + length - 1 });
    if (bytes === undefined) throw changed(packKey(name), 'it is missing');
    if (bytes.length !== length) throw changed(packKey(name), `${bytes.length} bytes instead of ${length}`);
    return bytes;
  }

  /** A sealed, packed JSON document, named by its bytes. */
  async putDocument(kind: SealedKind, content: unknown): Promise<DocumentRef> {
    const bytes = this.#sealDocument(kind, content);
    const name = sha256(bytes);
    await this.#write(documentKey(name), bytes);
    return { name, bytes: bytes.length };
  }

  async readDocument<T>(kind: SealedKind, ref: DocumentRef, schema: z.ZodType<T>): Promise<T> {
    const key = documentKey(ref.name);
    const bytes = await this.#read(key);
    if (bytes === undefined) throw changed(key, 'it is missing');
    if (sha256(bytes) !== ref.name) throw changed(key, 'its bytes differ from its name');
    return this.#openDocument(kind, bytes, key, schema);
  }

  async putSnapshot(snapshot: Snapshot): Promise<void> {
    const key = snapshotKey(snapshot);
    await this.#write(key, this.#sealDocument('snapshot', snapshot));
  }

  /** Newest first, of one source or of all. What cannot be read is told to `onDamage`, or thrown without one. */
  async *snapshots(source?: string, onDamage?: (error: BackupError) => void): AsyncGenerator<Snapshot> {
    const prefix = source === undefined ? 'snapshots/' : `snapshots/${source}/`;
    for await (const { name } of this.list(prefix)) {
      try {
        const bytes = await this.#read(name);
        if (bytes === undefined) continue;
        const snapshot = this.#openDocument('snapshot', bytes, name, snapshotSchema);
        if (snapshotKey(snapshot) !== name) throw changed(name, 'it is another snapshot');
        yield snapshot;
      } catch (error) {
        if (!(error instanceof BackupError) || onDamage === undefined) throw error;
        onDamage(error);
      }
    }
  }

  async newest(source: string): Promise<Snapshot | undefined> {
    for await (const snapshot of this.snapshots(source)) return snapshot;
    return undefined;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    this.requests += 1;
    yield* listed(this.place, prefix);
  }

  async remove(name: string): Promise<void> {
    this.requests += 1;
    await this.place.client.delete({ bucket: this.place.bucket, key: this.place.prefix + name });
  }

  #sealDocument(kind: SealedKind, content: unknown): Buffer {
    const plain = json(content);
    const packed = pack(plain);
    // Which codec, and how long it was, are within the seal: `codec length\n`.
    return seal(this.#master, kind, Buffer.concat([Buffer.from(`${packed.codec} ${plain.length}\n`), packed.bytes]));
  }

  #openDocument<T>(kind: SealedKind, bytes: Buffer, key: string, schema: z.ZodType<T>): T {
    const opened = unseal(this.#master, kind, bytes, key);
    const line = opened.subarray(0, opened.indexOf(10)).toString('latin1');
    const head = z
      .tuple([
        z.enum(['none', 'deflate', 'zstd']),
        z.coerce
          .number()
          .int()
          .min(0)
          .max(1 << 30),
      ])
      .safeParse(line.split(' '));
    if (!head.success) throw changed(key, 'its first line is unknown');
    const [codec, length] = head.data;
    const content = schema.safeParse(parsed(unpack(codec, opened.subarray(line.length + 1), length), key));
    if (content.success) return content.data;
    throw new BackupError('repository-format', `${key} is of a form that this release does not know`, {
      subject: key,
      advice: 'use the release of bucketwright that wrote it, or a newer one',
    });
  }

  async #write(name: string, bytes: Buffer): Promise<void> {
    this.requests += 1;
    await write(this.place, name, bytes);
  }

  #read(name: string): Promise<Buffer | undefined> {
    this.requests += 1;
    return read(this.place, name);
  }
}

export const packKey = (name: string): string => `packs/${name.slice(0, 2)}/${name}`;
export const documentKey = (name: string): string => `documents/${name.slice(0, 2)}/${name}`;
export const snapshotKey = ({ source, time, id }: Pick<Snapshot, 'source' | 'time' | 'id'>): string =>
  `snapshots/${source}/${stamp(time)}-${id}`;
export const where = ({ bucket, prefix }: RepositoryPlace): string => `s3://${bucket}/${prefix}`;

const json = (content: unknown): Buffer => Buffer.from(JSON.stringify(content), 'utf8');

function parsed(bytes: Buffer, subject: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw changed(subject, 'it is no JSON', error);
  }
}

async function write(place: RepositoryPlace, name: string, bytes: Buffer): Promise<void> {
  // The provider refuses what was changed on its way.
  const md5 = createHash('md5').update(bytes).digest();
  await place.client.put({ bucket: place.bucket, key: place.prefix + name, body: { bytes }, md5 });
}

async function read(
  place: RepositoryPlace,
  name: string,
  range?: { readonly start: number; readonly end: number },
): Promise<Buffer | undefined> {
  try {
    const answer = await place.client.get({ bucket: place.bucket, key: place.prefix + name, range });
    return await buffer(answer.body);
  } catch (error) {
    if (error instanceof ClientError && error.code === 'no-such-key') return undefined;
    if (error instanceof ClientError && error.code === 'range') throw changed(name, 'it is shorter', error);
    throw error;
  }
}

async function* listed(place: RepositoryPlace, prefix: string): AsyncGenerator<StoredObject> {
  const { client, bucket } = place;
  for await (const entry of client.list({ bucket, prefix: place.prefix + prefix })) {
    if (entry.kind !== 'object') continue;
    yield { name: entry.key.slice(place.prefix.length), size: entry.size, modified: entry.modified };
  }
}
