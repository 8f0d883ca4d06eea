import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BackupError } from '../errors.ts';
import { type FileBytes, type OpenBytes, openBytes, unreadable } from './file-bytes.ts';
import { MAX_PAGE_SIZE, META_BYTES, META_PAGES, type Meta, MIN_PAGE_SIZE, readMeta } from './layout.ts';
import { broken } from './page.ts';

/** The data file of an environment: a directory with `mdbx.dat`, or the file itself. */
export function dataFilePath(path: string): string {
  return isDirectory(path) ? join(path, 'mdbx.dat') : path;
}

/** Its lock file, beside it. */
export function lockFilePath(path: string): string {
  return isDirectory(path) ? join(path, 'mdbx.lck') : `${path}-lck`;
}

export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw unreadable(path, 'read', error);
  }
}

/** What the three meta pages say at one moment. */
export interface Head {
  /** The root of the newest transaction that can be relied on. */
  readonly meta: Meta;
  /** Bytes of all metas: another transaction, of whatever kind, is another state. */
  readonly state: Buffer;
}

export const sameHead = (a: Head, b: Head): boolean => a.state.equals(b.state);

/** An environment's data file, opened only to be read. */
export class DataFile {
  readonly path: string;
  readonly #bytes: FileBytes;
  readonly #boot: string;
  /** Bytes read so far. */
  bytesRead = 0;

  /** @throws BackupError `source` */
  constructor(path: string, open: OpenBytes = openBytes) {
    this.path = dataFilePath(path);
    this.#bytes = open(this.path);
    this.#boot = bootId();
  }

  identity(): string {
    return this.#bytes.identity();
  }

  /** @returns bytes read: fewer than asked only where the file ends */
  readUpTo(buffer: Buffer, position: number): number {
    const bytes = this.#bytes.read(buffer, position);
    this.bytesRead += bytes;
    return bytes;
  }

  /** @param what the page that is read, for the error. @throws BackupError `structure` where the file ends before */
  read(buffer: Buffer, position: number, what: number): Buffer {
    if (this.readUpTo(buffer, position) < buffer.length) throw broken(what, 'lies beyond the end of the file');
    return buffer;
  }

  /**
   * The newest meta that is steady, or that was written since this host started (what is not synced is lost with the
   * host, and only with it).
   * @throws BackupError `not-mdbx`
   */
  head(): Head {
    for (let attempt = 0; attempt < 100; attempt++) {
      const [first, second] = [this.#state(), this.#state()];
      if (first === undefined && second === undefined) break;
      if (first === undefined || second === undefined || !first.state.equals(second.state)) continue;
      const best = first.metas
        .filter(({ steady, bootId: boot }) => steady || (boot === this.#boot && boot !== ''))
        .reduce<Meta | undefined>((newest, meta) => (meta.txnid > (newest?.txnid ?? 0) ? meta : newest), undefined);
      if (best !== undefined) return { meta: best, state: first.state };
    }
    throw new BackupError('not-mdbx', `${this.path} has no usable meta page: it is no MDBX environment, or damaged`, {
      subject: this.path,
      advice: "name the environment's directory or data file; libmdbx's mdbx_chk tells more",
    });
  }

  #state(): { readonly metas: readonly Meta[]; readonly state: Buffer } | undefined {
    const size = this.#pageSize();
    if (size === undefined) return undefined;
    const state = Buffer.alloc(META_PAGES * META_BYTES);
    const metas: Meta[] = [];
    for (let slot = 0; slot < META_PAGES; slot++) {
      const bytes = state.subarray(slot * META_BYTES, (slot + 1) * META_BYTES);
      if (this.#bytes.read(bytes, slot * size) < META_BYTES) continue;
      const meta = readMeta(bytes, slot);
      if (meta !== undefined && meta.pageSize === size) metas.push(meta);
    }
    return { metas, state };
  }

  /** Told by any meta; the first may be in the middle of its update, so that the others are looked for. */
  #pageSize(): number | undefined {
    const bytes = Buffer.alloc(META_BYTES);
    for (let slot = 0; slot < META_PAGES; slot++) {
      for (let size = MIN_PAGE_SIZE; size <= MAX_PAGE_SIZE; size *= 2) {
        if (this.#bytes.read(bytes, slot * size) === META_BYTES) {
          const meta = readMeta(bytes, slot);
          if (meta !== undefined && (slot === 0 || meta.pageSize === size)) return meta.pageSize;
        }
        if (slot === 0) break;
      }
    }
    return undefined;
  }

  close(): void {
    this.#bytes.close();
  }
}

/** As libmdbx writes it into its metas: the UUID of the boot, its bytes in reverse. Empty where the system tells none. */
function bootId(): string {
  try {
    const text = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
    return Buffer.from(text, 'hex').reverse().toString('hex');
  } catch {
    return '';
  }
}
