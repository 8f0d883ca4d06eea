import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Index } from '../index/database.ts';
import { bodyKey, bodyOfKey, bodyPath } from './reference.ts';

interface BodyNumber {
  readonly segment: number;
  readonly sequence: number;
}

/**
 * Files that no object refers to any more. The commit that drops the last reference also notes the file here, so that a
 * crash between commit and unlink leaves no orphan; the note goes with a later commit. A file that a reader holds is
 * unlinked when the reader is done.
 */
export class Trash {
  readonly #directory: string;
  readonly #index: Index;
  #inCommit: BodyNumber[] = [];
  #unlinked: BodyNumber[] = [];
  readonly #pins = new Map<string, number>();
  readonly #waitingForReaders = new Map<string, BodyNumber>();
  readonly #unlinking = new Set<Promise<void>>();

  constructor(directory: string, index: Index) {
    this.#directory = directory;
    this.#index = index;
  }

  /** Inside a transaction. */
  add(body: BodyNumber): void {
    const number = { segment: body.segment, sequence: body.sequence };
    this.#index.trash.putSync(bodyKey(number), Buffer.alloc(0));
    this.#inCommit.push(number);
  }

  /** Inside a transaction, last: forgets what is gone from the disk. */
  writeUnlinked(): void {
    for (const body of this.#unlinked) this.#index.trash.removeSync(bodyKey(body));
    this.#unlinked = [];
  }

  get hasUnlinked(): boolean {
    return this.#unlinked.length > 0;
  }

  /** After the transaction: what it dropped may go, if it is durable. */
  committed(durable: boolean): void {
    const dropped = this.#inCommit;
    this.#inCommit = [];
    if (durable && dropped.length > 0) this.#unlink(dropped);
  }

  /** What an earlier process noted and did not come to remove. */
  recover(): void {
    this.#unlink(Array.from(this.#index.trash.getKeys(), bodyOfKey));
  }

  /** Keeps a body's file while it is read. The answer releases it. */
  pin(body: BodyNumber): () => void {
    const key = pinKey(body);
    this.#pins.set(key, (this.#pins.get(key) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#pins.get(key) ?? 1) - 1;
      if (left > 0) {
        this.#pins.set(key, left);
        return;
      }
      this.#pins.delete(key);
      const waiting = this.#waitingForReaders.get(key);
      this.#waitingForReaders.delete(key);
      if (waiting !== undefined) this.#unlink([waiting]);
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#unlinking);
  }

  #unlink(bodies: readonly BodyNumber[]): void {
    const work = this.#unlinkAll(bodies).finally(() => this.#unlinking.delete(work));
    this.#unlinking.add(work);
  }

  async #unlinkAll(bodies: readonly BodyNumber[]): Promise<void> {
    for (const body of bodies) {
      const key = pinKey(body);
      if (this.#pins.has(key)) {
        this.#waitingForReaders.set(key, body);
        continue;
      }
      // What cannot be removed now stays noted, and is tried again at the next start.
      const gone = await rm(join(this.#directory, bodyPath(body)), { force: true }).then(
        () => true,
        () => false,
      );
      if (gone) this.#unlinked.push(body);
    }
  }
}

function pinKey(body: BodyNumber): string {
  return `${body.segment}/${body.sequence}`;
}
