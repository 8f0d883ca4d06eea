import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Index } from '../index/database.ts';
import { bucketPrefix as numberKey } from '../index/keys.ts';
import { type BodyNumber, pinKey, type SharedPins } from './pins.ts';
import { bodyKey, bodyOfKey, bodyPath, segmentPath } from './reference.ts';

/** A bound for memory; the next round takes the rest. */
const RECOVERED_AT_ONCE = 100_000;

/**
 * Files that no object refers to any more. The commit that drops the last reference also notes the file here, so that a
 * crash between commit and unlink leaves no orphan; the note goes with a later commit. A file that a reader holds is
 * unlinked when the reader is done; one that a reader of another process holds, by a later `recover`.
 */
export class Trash {
  readonly #directory: string;
  readonly #index: Index;
  readonly #shared: SharedPins | undefined;
  #inCommit: BodyNumber[] = [];
  #closedInCommit: number[] = [];
  #closed = false;
  #unlinked: BodyNumber[] = [];
  readonly #pins = new Map<string, number>();
  readonly #waitingForReaders = new Map<string, BodyNumber>();
  readonly #unlinking = new Set<Promise<void>>();

  /** @param shared what other processes hold; undefined: this is the only one */
  constructor(directory: string, index: Index, shared: SharedPins | undefined) {
    this.#directory = directory;
    this.#index = index;
    this.#shared = shared;
  }

  /** Inside a transaction. */
  add(body: BodyNumber): void {
    const number = { segment: body.segment, sequence: body.sequence };
    this.#index.trash.putSync(bodyKey(number), Buffer.alloc(0));
    this.#inCommit.push(number);
  }

  /** Inside a transaction: these segments take no more files, so their directories go with their last file. */
  closed(segments: readonly number[]): void {
    this.#closedInCommit.push(...segments);
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
    const closed = this.#closedInCommit;
    this.#closedInCommit = [];
    if (durable && (dropped.length > 0 || closed.length > 0)) this.#unlink(dropped, closed);
  }

  /** What any process noted and did not come to remove. */
  recover(): void {
    const noted = Array.from(this.#index.trash.getKeys({ limit: RECOVERED_AT_ONCE }), bodyOfKey);
    if (noted.length > 0) this.#unlink(noted);
  }

  /**
   * Keeps many files against other processes as well; the object must be looked up again afterwards. The answer releases
   * them.
   */
  async share(bodies: readonly BodyNumber[]): Promise<() => Promise<void>> {
    if (this.#shared === undefined || bodies.length < 2) return async () => {};
    return this.#shared.hold(bodies);
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

  /** Waits for what is being unlinked. */
  async settle(): Promise<void> {
    await Promise.all(this.#unlinking);
  }

  /** The index is about to be closed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.settle();
  }

  #unlink(bodies: readonly BodyNumber[], closed: readonly number[] = []): void {
    const work = this.#unlinkAll(bodies, closed)
      // What was not removed stays noted in the index, and is tried again.
      .catch(() => undefined)
      .finally(() => this.#unlinking.delete(work));
    this.#unlinking.add(work);
  }

  async #unlinkAll(bodies: readonly BodyNumber[], closed: readonly number[]): Promise<void> {
    const touched = new Set(closed);
    const others = await this.#shared?.others();
    for (const body of bodies) {
      const key = pinKey(body);
      if (others?.has(key)) continue;
      if (this.#pins.has(key)) {
        this.#waitingForReaders.set(key, body);
        continue;
      }
      // What cannot be removed now stays noted, and is tried again at the next start.
      const gone = await rm(join(this.#directory, bodyPath(body)), { force: true }).then(
        () => true,
        () => false,
      );
      if (!gone) continue;
      this.#unlinked.push(body);
      touched.add(body.segment);
    }
    for (const segment of touched) await this.#removeIfEmpty(segment);
  }

  /** An open segment's directory stays: its next file may be on its way. A closed one gets no file any more. */
  async #removeIfEmpty(segment: number): Promise<void> {
    if (this.#closed) return;
    this.#index.root.resetReadTxn();
    if (this.#index.segments.doesExist(numberKey(segment))) return;
    await rmdir(join(this.#directory, segmentPath(segment))).catch(() => undefined);
  }
}
