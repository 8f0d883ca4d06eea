import { randomBytes } from 'node:crypto';
import { BackupError } from '../errors.ts';
import { json, parseJson } from './document.ts';
import { newSlot, type Opener, openSlot, type Slot, slotSchema } from './keys.ts';
import { configSchema } from './model.ts';
import { sourcePattern, sourcesFolder } from './names.ts';
import { SourceStore } from './source-store.ts';
import { type RepositoryPlace, Storage } from './storage.ts';

/**
 * The repository format, version 1 (docs/reference/backup-format.md): objects that are never changed, the lease apart. What
 * is written is named by the SHA-256 of its bytes, and a snapshot is written when all that it needs is there.
 */
export class Repository {
  readonly storage: Storage;
  readonly #master: Buffer;

  private constructor(storage: Storage, master: Buffer) {
    this.storage = storage;
    this.#master = master;
  }

  /** @throws BackupError `repository-exists` */
  static async init(place: RepositoryPlace, opener: Opener): Promise<Repository> {
    const storage = new Storage(place);
    if ((await storage.read('config')) !== undefined) {
      throw new BackupError('repository-exists', `there is a backup repository in ${where(place)} already`, {
        subject: where(place),
        advice: 'use it, or name another S3_BUCKET_BACKUP or S3_PREFIX_BACKUP',
      });
    }
    const master = randomBytes(32);
    // The slot first: a repository that has its config can be opened.
    await storage.write(`keys/${randomBytes(8).toString('hex')}`, json(await newSlot(master, opener)));
    const config = { format: 'bucketwright-backup', version: 1, id: randomBytes(16).toString('hex') };
    await storage.write('config', json(config), { once: true });
    return Repository.open(place, opener);
  }

  /** @throws BackupError `no-repository`, `repository-format`, `wrong-key` */
  static async open(place: RepositoryPlace, opener: Opener): Promise<Repository> {
    const storage = new Storage(place);
    const config = await storage.read('config');
    if (config === undefined) {
      throw new BackupError('no-repository', `there is no backup repository in ${where(place)}`, {
        subject: where(place),
        advice: 'make one: bucketwright backup init',
      });
    }
    if (!configSchema.safeParse(parseJson(config, `${where(place)}config`)).success) {
      throw new BackupError('repository-format', `${where(place)}config is of an unknown format or version`, {
        subject: where(place),
        advice: 'use the release of bucketwright that wrote it, or another prefix',
      });
    }
    for await (const { name } of storage.list('keys/')) {
      const slot = await readSlot(storage, name);
      const master = slot === undefined ? undefined : await openSlot(slot, opener);
      if (master !== undefined) return new Repository(storage, master);
    }
    throw new BackupError('wrong-key', `this passphrase or key file opens none of the key slots of ${where(place)}`, {
      subject: where(place),
      advice:
        'check BUCKETWRIGHT_BACKUP_PASSPHRASE (or its _FILE) or BUCKETWRIGHT_BACKUP_KEY_FILE, and that the prefix is the right one',
    });
  }

  /** @throws BackupError `source` for a name that cannot be one */
  source(name: string): SourceStore {
    if (sourcePattern.test(name)) return new SourceStore(this.storage, this.#master, name);
    throw new BackupError('source', `${JSON.stringify(name)} cannot be the name of a source`, {
      subject: name,
      advice: 'use letters, digits, dots, dashes and underscores, at most 64',
    });
  }

  /** Those that have anything in the repository, by name. */
  async sources(): Promise<readonly SourceStore[]> {
    const names = await this.storage.folders(sourcesFolder);
    return names.filter((name) => sourcePattern.test(name)).map((name) => this.source(name));
  }

  /** A further passphrase or key file. @returns the slot's name */
  async addKey(opener: Opener): Promise<string> {
    const name = randomBytes(8).toString('hex');
    await this.storage.write(`keys/${name}`, json(await newSlot(this.#master, opener)));
    return name;
  }

  /** Removes all slots but `keep`: older passphrases open nothing any more. @returns how many */
  async removeOtherKeys(keep: string): Promise<number> {
    const names: string[] = [];
    for await (const { name } of this.storage.list('keys/')) if (name !== `keys/${keep}`) names.push(name);
    await this.storage.removeAll(names);
    return names.length;
  }
}

/** Undefined: damaged, or of a newer release; another slot may open. */
async function readSlot(storage: Storage, name: string): Promise<Slot | undefined> {
  const bytes = await storage.read(name);
  try {
    return bytes === undefined ? undefined : slotSchema.safeParse(parseJson(bytes, name)).data;
  } catch (error) {
    if (error instanceof BackupError && error.code === 'damaged') return undefined;
    throw error;
  }
}

export const where = ({ bucket, prefix }: RepositoryPlace): string => `s3://${bucket}/${prefix}`;
