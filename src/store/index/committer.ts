import { StoreError } from '../errors.ts';
import type { Index } from './database.ts';
import { transact } from './transact.ts';

interface Waiting {
  run(): void;
  settle(failure: unknown): void;
}

export interface CommitHooks {
  /** Runs last in every transaction; what it writes belongs to the same commit. */
  beforeCommit(): void;
  /** Runs before anybody hears of the outcome. */
  afterCommit(durable: boolean): void;
  observe?(milliseconds: number, changes: number): void;
  /** The disk is full. True: something was given up, so the same changes are tried once more. */
  makeRoom(): Promise<boolean>;
  /** The index takes and answers nothing any more in this process: only a new one can open it. Once. */
  broken(failure: StoreError): void;
}

/**
 * Group commit. Changes that arrive while a commit is on its way to the disk wait together and become the next one: one
 * LMDB transaction, one fsync, many acknowledgements. Each change runs alone inside the transaction, sees all earlier
 * ones, and is acknowledged only when the whole transaction is durable.
 */
export class Committer {
  readonly #index: Index;
  readonly #maxWaiting: number;
  readonly #hooks: CommitHooks;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | undefined;
  #scheduled = false;
  #closed = false;
  #broken: StoreError | undefined;

  /** @param maxWaiting changes that may wait; further ones are refused as `busy` */
  constructor(index: Index, hooks: CommitHooks, maxWaiting = 20_000) {
    this.#index = index;
    this.#hooks = hooks;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs `change` inside the next transaction. It must throw before its first write or not at all: what it wrote before
   * throwing would be committed with the others. It may run again, in another transaction, if the first was not
   * committed.
   * @throws StoreError `disk-full`, `busy`, `closed`, and whatever `change` throws
   */
  commit<T>(change: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(this.#broken ?? closed());
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(new StoreError('busy', 'too many writes are waiting for the disk', { advice: 'retry' }));
    }
    return new Promise<T>((resolve, reject) => {
      let outcome: { readonly value: T } | { readonly thrown: unknown };
      this.#waiting.push({
        run() {
          try {
            outcome = { value: change() };
          } catch (thrown) {
            outcome = { thrown };
          }
        },
        settle(failure) {
          if (failure !== undefined) reject(failure);
          else if ('thrown' in outcome) reject(outcome.thrown);
          else resolve(outcome.value);
        },
      });
      this.#schedule();
    });
  }

  /** @throws StoreError `closed` */
  assertOpen(): void {
    if (this.#closed) throw this.#broken ?? closed();
  }

  /** Why the index takes nothing any more; undefined while it does. */
  get broken(): StoreError | undefined {
    return this.#broken;
  }

  /** Waits until everything that was asked for is durable, then refuses more. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#scheduled || this.#committing !== undefined) {
      await (this.#committing ?? new Promise<void>((resolve) => setImmediate(resolve)));
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing !== undefined) return;
    this.#scheduled = true;
    // Whatever else this turn of the event loop brings joins the same commit.
    setImmediate(() => {
      this.#scheduled = false;
      this.#committing = this.#commitWaiting();
    });
  }

  async #commitWaiting(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    let failure = await this.#transact(group);
    if (failure instanceof StoreError && failure.code === 'disk-full' && (await this.#hooks.makeRoom())) {
      failure = await this.#transact(group);
    }
    this.#committing = undefined;
    if (this.#broken !== undefined) group.push(...this.#waiting.splice(0));
    if (this.#waiting.length > 0) this.#schedule();
    for (const one of group) one.settle(failure);
  }

  async #transact(group: readonly Waiting[]): Promise<unknown> {
    const began = performance.now();
    try {
      await this.#unlessStuck(
        transact(this.#index, () => {
          for (const one of group) one.run();
          this.#hooks.beforeCommit();
        }),
      );
    } catch (error) {
      this.#hooks.afterCommit(false);
      return this.#failureOf(error);
    }
    this.#hooks.afterCommit(true);
    this.#hooks.observe?.(performance.now() - began, group.length);
    return undefined;
  }

  /** Looks whether the index still works, for when something else than a commit of ours met a failure. */
  examine(): void {
    if (this.#broken === undefined && refuses(this.#index)) this.#break(undefined);
  }

  #failureOf(error: unknown): unknown {
    if (refuses(this.#index)) return this.#break(error);
    if (error instanceof Error && 'code' in error && error.code === ENOSPC) {
      return new StoreError('disk-full', 'the disk is full: the index could not be written', { cause: error });
    }
    return error;
  }

  /**
   * LMDB refuses everything, reads too, once its root page could not be written. A transaction that is begun then never
   * settles, and keeps lmdb's lock: none may be begun any more.
   */
  #break(cause: unknown): StoreError {
    const message = 'the disk failed under the index, which takes nothing until a restart';
    const failure = new StoreError('closed', message, { cause });
    this.#broken = failure;
    this.#closed = true;
    this.#hooks.broken(failure);
    return failure;
  }

  /** For the case that it broke without any commit of ours failing first. */
  #unlessStuck(transaction: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const watch = setInterval(() => {
        if (!refuses(this.#index)) return;
        clearInterval(watch);
        reject(new Error('a transaction is under way in an index that refuses reads'));
      }, WATCH_MS);
      transaction.then(resolve, reject).finally(() => clearInterval(watch));
    });
  }
}

function refuses(index: Index): boolean {
  try {
    index.root.resetReadTxn();
    index.counters.get(PROBE);
    return false;
  } catch {
    return true;
  }
}

function closed(): StoreError {
  return new StoreError('closed', 'the store is closed');
}

const PROBE = Buffer.from('probe');
const WATCH_MS = 500;
const ENOSPC = 28;
