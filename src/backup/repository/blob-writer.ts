import { Worker } from 'node:worker_threads';
import { transferable } from '../../core/transferable.ts';
import { BackupError } from '../errors.ts';
import { type BlobLot, LotWriter } from './blob-lot.ts';
import type { BlobReply, BlobRequest, Failure } from './blob-worker.ts';

/** Where lots of blobs are opened and written: on a thread of its own, or on this one. */
export interface BlobWriter {
  /** Resolves when all of it is with the system; lots are written in their order. The bytes are the writer's from now on. */
  write(lot: BlobLot): Promise<void>;
  /** Resolves when no file is touched any more. */
  close(): Promise<void>;
}

/** A worker thread exists only as a compiled file; run from source (in unit tests), all is done on this thread. */
export const canUseThread = (): boolean => !import.meta.url.endsWith('.ts');

/** On the calling thread. */
export class SameThreadWriter implements BlobWriter {
  readonly #writer: LotWriter;

  constructor(master: Buffer) {
    this.#writer = new LotWriter(master);
  }

  write(lot: BlobLot): Promise<void> {
    return this.#writer.write(lot);
  }

  close(): Promise<void> {
    return this.#writer.settled();
  }
}

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * On a thread of its own: there garbage of a MiB a blob is collected from a small heap, which the collector asks for at every
 * 64 MiB of it. A second thread writes no faster, and takes 50 MiB.
 */
export class ThreadWriter implements BlobWriter {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #failure: unknown;
  #lots = 0;

  constructor(master: Buffer) {
    this.#worker = new Worker(new URL('./blob-worker.js', import.meta.url), { workerData: new Uint8Array(master) });
    this.#worker.on('message', (reply: BlobReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#fail(error));
    // However it ends, nobody waits for it for ever.
    this.#worker.on('exit', () => this.#fail(new Error('the thread that writes has ended')));
  }

  write(lot: BlobLot): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const number = this.#lots++;
      this.#waiting.set(number, { resolve, reject });
      const bytes = transferable(lot.bytes);
      this.#worker.postMessage({ number, lot: { ...lot, bytes } } satisfies BlobRequest, [bytes.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive({ number, failure }: BlobReply): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (failure === undefined) waiting?.resolve();
    else waiting?.reject(errorOf(failure));
  }

  /** A lost worker fails every lot that counts on it, and every later one. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

function errorOf({ message, code, system, subject, advice }: Failure): Error {
  if (code !== undefined) return new BackupError(code, message, { subject, advice });
  return Object.assign(new Error(message), system === undefined ? {} : { code: system });
}
