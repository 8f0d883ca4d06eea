import type { Clock } from '../../core/clock.ts';
import { BackupError } from '../errors.ts';
import { type DataFile, type Head, sameHead } from './data-file.ts';
import { MOST_FREE, type Runs, runsOf } from './free-pages.ts';
import { Known, MOST_PASSES } from './known.ts';
import { META_PAGES, type Meta } from './layout.ts';
import { broken } from './page.ts';
import { isBroken, walk } from './walk.ts';

/** What an incremental snapshot builds upon: all pages up to this transaction are stored already. */
export interface Base {
  readonly txnid: number;
  /** `environmentId` of its meta, and the file's identity: a restored or replaced file has a history of its own. */
  readonly environmentId: string;
  readonly file: string;
}

export interface CaptureOptions {
  readonly base: Base | undefined;
  /**
   * Takes pages from `first` on; the bytes change when it has resolved. Where a page is given again, the later bytes
   * count. None of them count before `capture` has returned.
   */
  readonly keep: (first: number, bytes: Buffer) => Promise<void> | undefined;
  readonly clock: Clock;
  /** Whether somebody may be writing: then pages that carry no transaction number cannot be proven. */
  readonly live: boolean;
  /** Attempts to be faster than the writer, at most 250. */
  readonly passes?: number | undefined;
  /** Milliseconds until no further attempt is begun. Default 10 minutes. */
  readonly limitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The proof: what was kept, over the base, is what this transaction reaches. */
export interface Captured {
  readonly meta: Meta;
  readonly base: Base | undefined;
  readonly passes: number;
  /** Pages that were free then, maybe not all: what the base holds of them is of no use any more. */
  readonly free: Runs;
  /** When it was the newest: milliseconds since 1970 UTC. */
  readonly time: number;
}

/**
 * Reads a live environment without any lock, and proves what was read.
 *
 * The transaction after H may take only pages that were freed up to H, so as long as H is the newest, every page that H
 * reaches is as H wrote it; H + 2 is the first that may overwrite some. So what was read is proven when afterwards H still is
 * the newest. Otherwise the newest is walked, and only what `Known` cannot vouch for is read. Each pass is as short as the
 * writer's changes during the one before, so that they converge, unless the writer commits faster than such a pass takes.
 *
 * @throws BackupError `not-converged`, `structure`, `method`, `not-mdbx`, `source`
 */
export async function capture(file: DataFile, options: CaptureOptions): Promise<Captured> {
  const { passes: most = MOST_PASSES, limitMs = 600_000, clock } = options;
  const began = performance.now();
  const identity = file.identity();
  let head = file.head();
  const base = usable(options.base, head.meta, identity);
  const since = base?.txnid ?? 0;
  let known = new Known(since, roomFor(head.meta));
  let failure: BackupError | undefined;
  for (let pass = 1; pass <= Math.min(most, MOST_PASSES); pass++) {
    const { meta } = head;
    if (known.capacity < meta.firstUnallocated) known = known.enlarged(roomFor(meta));
    known.begin(meta.txnid);
    // Of this pass alone: what an earlier one read may have been torn, and nobody proved it.
    const free: number[] = [];
    failure = await onePass(file, head, known, pass > 1 || base !== undefined, options, free);
    const time = clock.now();
    const now = file.head();
    if (sameHead(head, now)) {
      if (failure !== undefined) throw failure;
      return { meta, base, passes: pass, free: base === undefined ? [] : freeOf(free, known, meta), time };
    }
    if (now.meta.pageSize !== meta.pageSize || now.meta.environmentId !== meta.environmentId) {
      throw new BackupError('source', `${file.path} was replaced while it was read`, { subject: file.path });
    }
    if (performance.now() - began > limitMs) break;
    head = now;
  }
  throw new BackupError('not-converged', `${file.path}: the writer committed before every attempt to read was done`, {
    subject: file.path,
    advice: 'use --method mdbx_copy, or back up when fewer transactions are committed; nothing was stored',
    cause: failure,
  });
}

/** @returns what contradicted itself: a page that the writer took meanwhile, or damage */
async function onePass(
  file: DataFile,
  head: Head,
  known: Known,
  sparse: boolean,
  { keep, live, signal }: CaptureOptions,
  free: number[],
): Promise<BackupError | undefined> {
  let failure: BackupError | undefined;
  let moved = false;
  try {
    await walk(
      file,
      head.meta,
      {
        sparse,
        numbered: live,
        enter: (pgno, header, parent) => {
          if (known.has(pgno, header)) return false;
          if (!known.add(pgno, parent)) throw broken(pgno, 'is reached twice');
          return true;
        },
        pages: keep,
        free: (pages) => {
          for (const page of pages) if (free.length < MOST_FREE) free.push(page);
        },
        broken: (error, pgno, parent) => {
          failure ??= error;
          // While nothing was committed nobody may have written there: it is damage.
          moved ||= !sameHead(head, file.head());
          if (!moved) throw error;
          known.forget(pgno, parent);
        },
      },
      signal,
    );
  } catch (error) {
    if (!isBroken(error)) throw error;
    known.discard();
    return error;
  }
  return failure;
}

/** None of them, where what is listed cannot be meant as we read it. */
function freeOf(listed: readonly number[], known: Known, { firstUnallocated }: Meta): Runs {
  const sound = listed.every((page) => page >= META_PAGES && page < firstUnallocated && !known.read(page));
  return sound ? runsOf(listed) : [];
}

/** Room to grow in, so that a writer that extends the file does not make every pass build this anew. */
const roomFor = (meta: Meta): number => Math.ceil(meta.firstUnallocated * 1.1) + 4096;

function usable(base: Base | undefined, meta: Meta, identity: string): Base | undefined {
  if (base === undefined || base.file !== identity || base.environmentId !== meta.environmentId) return undefined;
  return base.txnid <= meta.txnid ? base : undefined;
}
