import { StoreError } from '../errors.ts';
import type { Index } from './database.ts';

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

  /** @param maxWaiting changes that may wait; further ones are refused as `busy` */
  constructor(index: Index, hooks: CommitHooks, maxWaiting = 20_000) {
    this.#index = index;
    this.#hooks = hooks;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs `change` inside the next transaction. It must throw before its first write or not at all: what it wrote before
   * throwing would be committed with the others.
   * @throws StoreError `disk-full`, `busy`, `closed`, and whatever `change` throws
   */
  commit<T>(change: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'the store is closed'));
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
    const failure = await this.#transact(group);
    this.#committing = undefined;
    if (this.#waiting.length > 0) this.#schedule();
    for (const one of group) one.settle(failure);
  }

  async #transact(group: readonly Waiting[]): Promise<unknown> {
    const began = performance.now();
    try {
      await this.#index.root.transaction(() => {
        for (const one of group) one.run();
        this.#hooks.beforeCommit();
      });
    } catch (error) {
      this.#hooks.afterCommit(false);
      return commitFailure(error);
    }
    this.#hooks.afterCommit(true);
    this.#hooks.observe?.(performance.now() - began, group.length);
    return undefined;
  }
}

/** LMDB reports a full disk by the system's error number, in the message or as `code`. */
function commitFailure(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const text = error instanceof Error ? error.message : String(error);
  if (code === 28 || code === 'ENOSPC' || text.includes('No space left on device') || text.includes('MDB_MAP_FULL')) {
    return new StoreError('disk-full', 'the disk is full: the index could not be written', { cause: error });
  }
  return error instanceof Error ? error : new Error(text);
}
