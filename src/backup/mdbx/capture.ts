import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../../core/errors.ts';
import { BackupError } from '../errors.ts';
import { PageSet } from './bitmap.ts';
import { DataFile, sameMeta } from './data-file.ts';
import { HEADER_BYTES, META_PAGES, type Meta, type PageHeader, readHeader } from './layout.ts';
import { type Visitor, walk } from './walk.ts';

/** What an incremental snapshot builds upon: all pages up to this transaction are stored already. */
export interface Base {
  readonly txnid: number;
  /** `environmentId` of its meta, and the file's identity: a restored or replaced file has a history of its own. */
  readonly environmentId: string;
  readonly file: string;
}

export interface CaptureOptions {
  /** Where the copy goes: a file that is created, sparse, as large as the environment at most. */
  readonly scratch: string;
  readonly base?: Base | undefined;
  /** Attempts to be faster than the writer. Default 200. */
  readonly passes?: number | undefined;
  /** Milliseconds until no further attempt is begun. Default 10 minutes. */
  readonly limitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A proven copy of what one transaction reaches, or of what it changed since the base. */
export interface Captured {
  readonly meta: Meta;
  readonly base: Base | undefined;
  readonly identity: string;
  readonly pages: PageSet;
  readonly passes: number;
  /** Bytes read of the source, for all passes. */
  readonly bytesRead: number;
  /** Reads `count` neighbouring pages of the copy. */
  read(first: number, count: number): Buffer;
  close(): void;
}

/**
 * Copies a live environment without any lock, and proves the copy.
 *
 * libmdbx never changes a page in place, and the transaction after H may take only pages that were freed up to H. So as
 * long as H is the newest transaction, every page that H reaches is as H wrote it; H + 2 is the first that may overwrite
 * some. The copy is proven when, after all was read, H still is the newest. Otherwise the newest is taken, and only what it
 * does not share with what is there is read: a page that it reaches and that still carries the transaction number it was
 * copied with was not touched in between, nor was anything below it. Each pass is as short as the writer's changes during
 * the one before, so that they converge, unless the writer commits faster than such a pass takes.
 *
 * @throws BackupError `not-converged`, `structure`, `method`, `not-mdbx`, `source`
 */
export async function capture(path: string, options: CaptureOptions): Promise<Captured> {
  const file = new DataFile(path);
  let scratch: number | undefined;
  try {
    scratch = openSync(options.scratch, 'w+', 0o600);
    return await passes(file, scratch, options);
  } catch (error) {
    if (scratch !== undefined) closeSync(scratch);
    if (systemErrorCode(error) === 'ENOSPC') {
      throw new BackupError('source', 'the disk of the scratch space is full', {
        subject: options.scratch,
        advice: 'point --scratch at a disk with as much free space as the environment has changed pages',
        cause: error,
      });
    }
    throw error;
  } finally {
    file.close();
  }
}

async function passes(file: DataFile, scratch: number, options: CaptureOptions): Promise<Captured> {
  const { passes: most = 200, limitMs = 600_000, signal } = options;
  const began = performance.now();
  const identity = file.identity();
  let meta = file.head();
  const base = usable(options.base, meta, identity);
  let copy: Copy | undefined;
  for (let pass = 1; pass <= most; pass++) {
    copy = copy === undefined || copy.capacity < meta.firstUnallocated ? new Copy(scratch, meta, copy) : copy;
    copy.pageSize = meta.pageSize;
    let failure: unknown;
    try {
      await walk(file, meta, copy.visitor(base?.txnid ?? 0), signal);
    } catch (error) {
      // What contradicts itself may be a page that the writer took meanwhile; if nothing was committed it is damage.
      if (!(error instanceof BackupError) || error.code !== 'structure') throw error;
      failure = error;
    }
    const now = file.head();
    if (sameMeta(meta, now)) {
      if (failure !== undefined) throw failure;
      const { pages } = copy;
      const { pageSize } = meta;
      return {
        meta,
        base,
        identity,
        pages,
        passes: pass,
        bytesRead: file.bytesRead,
        read: (first, count) => readWhole(scratch, Buffer.allocUnsafe(count * pageSize), first * pageSize),
        close: () => closeSync(scratch),
      };
    }
    if (now.pageSize !== meta.pageSize) throw new BackupError('source', `${file.path} was replaced while it was read`);
    if (performance.now() - began > limitMs) break;
    meta = now;
  }
  throw new BackupError('not-converged', `${file.path}: the writer committed before every attempt to read was done`, {
    subject: file.path,
    advice: 'use --method mdbx_copy, or back up when fewer transactions are committed; nothing was stored',
  });
}

function usable(base: Base | undefined, meta: Meta, identity: string): Base | undefined {
  if (base === undefined || base.file !== identity || base.environmentId !== meta.environmentId) return undefined;
  return base.txnid <= meta.txnid ? base : undefined;
}

/** The copy in the making: pages at their own places in the scratch file. */
class Copy {
  readonly pages: PageSet;
  /** First pages (of a run: its first) whose everything below was copied, too. */
  readonly #complete: PageSet;
  readonly #fd: number;
  readonly capacity: number;
  pageSize: number;

  constructor(fd: number, meta: Meta, before: Copy | undefined) {
    this.#fd = fd;
    this.pageSize = meta.pageSize;
    // Room to grow in, so that a writer that extends the file does not make every pass build this anew.
    this.capacity = Math.max(META_PAGES, Math.ceil(meta.firstUnallocated * 1.25) + 1024);
    this.pages = new PageSet(this.capacity);
    this.#complete = new PageSet(this.capacity);
    if (before === undefined) return;
    for (const { first, count } of before.pages.runs(1)) if (count > 0) this.pages.add(first);
    for (const { first, count } of before.#complete.runs(1)) if (count > 0) this.#complete.add(first);
  }

  visitor(since: number): Visitor {
    const header = Buffer.alloc(HEADER_BYTES);
    return {
      enter: (pgno, found) => {
        if (found.txnid <= since) return false;
        return !(this.#complete.has(pgno) && this.#sameAsCopied(pgno, found, header));
      },
      page: (pgno, bytes) => {
        this.#complete.delete(pgno);
        this.#store(pgno, bytes, 0, 1);
      },
      run: (pgno, part, offset, pages) => {
        this.#store(pgno, part, offset, pages);
      },
      leave: (pgno) => {
        this.#complete.add(pgno);
      },
    };
  }

  #sameAsCopied(pgno: number, found: PageHeader, buffer: Buffer): boolean {
    const copied = readHeader(readWhole(this.#fd, buffer, pgno * this.pageSize));
    return copied.txnid === found.txnid && copied.pgno === pgno && copied.flags === found.flags;
  }

  #store(pgno: number, bytes: Buffer, offset: number, pages: number): void {
    if (offset === 0) {
      for (let page = pgno; page < pgno + pages; page++) {
        this.pages.add(page);
        // A page within a run is no first page any more.
        this.#complete.delete(page);
      }
    }
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#fd, bytes, done, bytes.length - done, pgno * this.pageSize + offset + done);
    }
  }
}

function readWhole(fd: number, buffer: Buffer, position: number): Buffer {
  for (let done = 0; done < buffer.length; ) {
    const bytes = readSync(fd, buffer, done, buffer.length - done, position + done);
    // A page at the very end of the scratch file may be shorter than asked: never, since whole pages are written.
    if (bytes === 0) throw new BackupError('source', 'the scratch file is shorter than what was written to it');
    done += bytes;
  }
  return buffer;
}
