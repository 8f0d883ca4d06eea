import { type FileHandle, open } from 'node:fs/promises';

/**
 * Group sync of one directory: callers that arrive while a sync runs share the next one, so a burst of new files costs
 * two directory syncs, not one each.
 */
export class DirectorySyncer {
  readonly #directory: string;
  #handle: Promise<FileHandle> | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Resolves when a sync that began after this call has ended. */
  sync(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start();
    // The running sync may have begun before the caller's entry was made: only the next one counts.
    this.#next = this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#next?.catch(() => undefined);
    await this.#running?.catch(() => undefined);
    const handle = await this.#handle?.catch(() => undefined);
    this.#handle = undefined;
    await handle?.close();
  }

  #start(): Promise<void> {
    this.#next = undefined;
    this.#handle ??= open(this.#directory, 'r');
    const running = this.#handle
      .then((handle) => handle.sync())
      .finally(() => {
        if (this.#running === running) this.#running = undefined;
      });
    this.#running = running;
    return running;
  }
}
