import { Worker } from 'node:worker_threads';
import { type DigestName, DigestSet, type Digests } from '../../checksum/index.ts';
import { transferable } from '../../core/transferable.ts';
import type { RawFile } from '../../fs/raw-file.ts';
import { BlockSums } from './block-sums.ts';
import type { BodyReply, BodyRequest } from './body-worker.ts';

/** What is known of a body once all of it was taken. */
export interface Taken {
  readonly digests: Digests;
  /** For the index: what proves the bytes on later reads. */
  readonly sums: Buffer;
}

/** One body being written to its file and digested. Lots go in order. */
export interface BodySink {
  /** Resolves when the bytes are with the system and digested. The buffers are the sink's from now on. */
  take(buffers: readonly Buffer[]): Promise<void>;
  finish(): Promise<Taken>;
  /** Resolves when the file is not touched any more. */
  cancel(): Promise<void>;
}

/** Where large bodies are written and digested: on worker threads, or on this one. */
export interface BodyThreads {
  begin(file: RawFile, names: readonly DigestName[]): BodySink;
  close(): Promise<void>;
}

/** @param threads 0 works on the calling thread */
export function createBodyThreads(threads: number): BodyThreads {
  return threads === 0 ? new SameThread() : new WorkerThreads(threads);
}

class SameThread implements BodyThreads {
  begin(file: RawFile, names: readonly DigestName[]): BodySink {
    const digests = new DigestSet(names);
    const sums = new BlockSums();
    let position = 0;
    let writing: Promise<void> = Promise.resolve();
    return {
      take(buffers) {
        const bytes = Buffer.concat(buffers);
        digests.update(bytes);
        sums.update(bytes);
        const at = position;
        position += bytes.length;
        writing = writing.then(() => file.write(bytes, bytes.length, at));
        return writing;
      },
      finish: () => Promise.resolve({ digests: digests.digest(), sums: sums.finish() }),
      cancel: () => writing.catch(() => undefined),
    };
  }

  async close(): Promise<void> {}
}

/** Made when the first large body comes: a thread takes some 10 MiB. */
class WorkerThreads implements BodyThreads {
  readonly #threads: number;
  #workers: BodyThread[] = [];
  #jobs = 0;

  constructor(threads: number) {
    this.#threads = threads;
  }

  begin(file: RawFile, names: readonly DigestName[]): BodySink {
    if (this.#workers.length === 0) this.#workers = Array.from({ length: this.#threads }, () => new BodyThread());
    const least = this.#workers.reduce((best, worker) => (worker.load < best.load ? worker : best));
    this.#jobs += 1;
    return least.begin(this.#jobs, file, names);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** What one body waits for: lots are answered in order. */
interface Job {
  readonly lots: Waiting<void>[];
  taken?: Waiting<Taken>;
  cancelled?: () => void;
}

class BodyThread {
  readonly #worker: Worker;
  readonly #jobs = new Map<number, Job>();
  #failure: Error | undefined;

  constructor() {
    this.#worker = new Worker(new URL('./body-worker.js', import.meta.url));
    this.#worker.unref();
    this.#worker.on('message', (reply: BodyReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
  }

  get load(): number {
    return this.#jobs.size;
  }

  begin(number: number, file: RawFile, names: readonly DigestName[]): BodySink {
    const job: Job = { lots: [] };
    this.#jobs.set(number, job);
    this.#send({ type: 'begin', job: number, fd: file.descriptor, names });
    return {
      take: (buffers) =>
        this.#asked((waiting) => {
          job.lots.push(waiting);
          const owned = buffers.map(transferable);
          const request: BodyRequest = { type: 'lot', job: number, buffers: owned };
          this.#worker.postMessage(
            request,
            owned.map((buffer) => buffer.buffer),
          );
        }),
      finish: () =>
        this.#asked<Taken>((waiting) => {
          job.taken = waiting;
          this.#send({ type: 'end', job: number });
        }),
      cancel: () => {
        if (this.#failure !== undefined || !this.#jobs.has(number)) return Promise.resolve();
        return new Promise((resolve) => {
          job.cancelled = resolve;
          this.#send({ type: 'cancel', job: number });
        });
      },
    };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #asked<T>(ask: (waiting: Waiting<T>) => void): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => ask({ resolve, reject }));
  }

  #send(request: BodyRequest): void {
    this.#worker.postMessage(request);
  }

  #receive(reply: BodyReply): void {
    const job = this.#jobs.get(reply.job);
    switch (reply.type) {
      case 'taken':
        job?.lots.shift()?.resolve();
        return;
      case 'failed':
        job?.lots.shift()?.reject(Object.assign(new Error(reply.message), { code: reply.code }));
        return;
      case 'digests':
        this.#jobs.delete(reply.job);
        job?.taken?.resolve({
          digests: new Map(reply.digests.map(([name, bytes]) => [name, Buffer.from(bytes)])),
          sums: Buffer.from(reply.sums),
        });
        // Cancelled after it was asked to end: the thread is through with the file either way.
        job?.cancelled?.();
        return;
      case 'cancelled':
        this.#jobs.delete(reply.job);
        job?.cancelled?.();
    }
  }

  /** A lost worker fails every body that counts on it, and every later one. */
  #fail(error: Error): void {
    this.#failure = error;
    for (const job of this.#jobs.values()) {
      for (const lot of job.lots) lot.reject(error);
      job.taken?.reject(error);
      job.cancelled?.();
    }
    this.#jobs.clear();
  }
}
