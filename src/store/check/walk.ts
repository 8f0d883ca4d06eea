import type { Database } from 'lmdb';
import type { Index } from '../index/database.ts';
import { afterKey } from '../index/keys.ts';

const PAGE = 500;

/**
 * All keys of a database, a page at a time: each page sees the newest state, and between pages nothing is held, so that a
 * check of hours does not keep a running server's index from using its freed pages again.
 */
export function* keysOf(index: Index, database: Database<unknown, Buffer>): Generator<Buffer> {
  let start: Buffer | undefined;
  for (;;) {
    index.root.resetReadTxn();
    const range = { ...(start !== undefined && { start }), limit: PAGE };
    const page = Array.from(database.getKeys(range), (key) => Buffer.from(key));
    yield* page;
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return;
    start = afterKey(last);
  }
}
