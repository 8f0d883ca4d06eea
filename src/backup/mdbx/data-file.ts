import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/errors.ts';
import { BackupError } from '../errors.ts';
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

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw new BackupError('source', `${path} cannot be read (${systemErrorCode(error) ?? 'unknown'})`, {
      subject: path,
      advice: 'check the path and its permissions',
      cause: error,
    });
  }
}

/**
 * An environment's data file, opened only to be read. Reads are synchronous: one is a few microseconds from the page
 * cache, several times less than a promise, and a walk does one a page.
 */
export class DataFile {
  readonly path: string;
  readonly #fd: number;
  readonly #boot: string;
  /** Bytes read so far. */
  bytesRead = 0;

  constructor(path: string) {
    this.path = dataFilePath(path);
    try {
      this.#fd = openSync(this.path, 'r');
    } catch (error) {
      throw new BackupError('source', `${this.path} cannot be opened (${systemErrorCode(error) ?? 'unknown'})`, {
        subject: this.path,
        advice: 'check the path and its permissions',
        cause: error,
      });
    }
    this.#boot = bootId();
  }

  /** Names the file on this host, so that one put in its place is not taken for it. */
  identity(): string {
    const { dev, ino } = fstatSync(this.#fd);
    return `${dev}:${ino}`;
  }

  /** @throws BackupError `structure` where the file ends before */
  read(buffer: Buffer, position: number, what: number): Buffer {
    for (let done = 0; done < buffer.length; ) {
      const bytes = readSync(this.#fd, buffer, done, buffer.length - done, position + done);
      if (bytes === 0) throw broken(what, 'lies beyond the end of the file');
      done += bytes;
    }
    this.bytesRead += buffer.length;
    return buffer;
  }

  /**
   * The root of the newest transaction that can be relied on: the newest meta that is steady, or that was written since
   * this host started (what is not synced is lost with the host, and only with it).
   * @throws BackupError `not-mdbx`
   */
  head(): Meta {
    for (let attempt = 0; attempt < 100; attempt++) {
      const first = this.#metas();
      const second = this.#metas();
      const torn = first.length !== second.length || first.some((meta, i) => !sameMeta(meta, second[i]));
      const best = first
        .filter(({ steady, bootId: boot }) => steady || boot === this.#boot)
        .reduce<Meta | undefined>((newest, meta) => (meta.txnid > (newest?.txnid ?? 0) ? meta : newest), undefined);
      if (!torn && best !== undefined) return best;
      if (!torn && first.length === 0) break;
    }
    throw new BackupError('not-mdbx', `${this.path} has no usable meta page: it is no MDBX environment, or damaged`, {
      subject: this.path,
      advice: "name the environment's directory or data file; libmdbx's mdbx_chk tells more",
    });
  }

  #metas(): Meta[] {
    const size = this.#pageSize();
    if (size === undefined) return [];
    const metas: Meta[] = [];
    for (let slot = 0; slot < META_PAGES; slot++) {
      const bytes = Buffer.alloc(META_BYTES);
      if (readSync(this.#fd, bytes, 0, META_BYTES, slot * size) < META_BYTES) continue;
      const meta = readMeta(bytes, slot);
      if (meta !== undefined && meta.pageSize === size) metas.push(meta);
    }
    return metas;
  }

  /** Told by any meta; the first may be in the middle of its update, so that the others are looked for. */
  #pageSize(): number | undefined {
    const bytes = Buffer.alloc(META_BYTES);
    for (let slot = 0; slot < META_PAGES; slot++) {
      for (let size = MIN_PAGE_SIZE; size <= MAX_PAGE_SIZE; size *= 2) {
        if (readSync(this.#fd, bytes, 0, META_BYTES, slot * size) === META_BYTES) {
          const meta = readMeta(bytes, slot);
          if (meta !== undefined && (slot === 0 || meta.pageSize === size)) return meta.pageSize;
        }
        if (slot === 0) break;
      }
    }
    return undefined;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export const sameMeta = (a: Meta, b: Meta | undefined): boolean => b !== undefined && a.bytes.equals(b.bytes);

/** As libmdbx writes it into its metas: the UUID of the boot, its bytes in reverse. Empty where the system tells none. */
function bootId(): string {
  try {
    const text = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
    return Buffer.from(text, 'hex').reverse().toString('hex');
  } catch {
    return '';
  }
}
