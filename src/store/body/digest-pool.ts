import { Worker } from 'node:worker_threads';
import { type DigestName, DigestSet, type Digests } from '../../checksum/index.ts';
import type { Block, BlockPool } from './blocks.ts';
import type { DigestReply, DigestRequest } from './digest-worker.ts';

/** The digests of one body. Updates are in order; the block may be reused when `update` resolves. */
export interface DigestJob {
  update(block: Block, length: number): Promise<void> | undefined;
  digest(): Promise<Digests>;
  cancel(): void;
}

/** Where the digests of large bodies are computed: on worker threads, or on this one. */
export interface DigestPool {
  begin(names: readonly DigestName[]): DigestJob;
  close(): Promise<void>;
}

/** @param threads 0 computes on the calling thread */
export function createDigestPool(blocks: BlockPool, threads: number): DigestPool {
  return threads === 0 ? new SameThread() : new WorkerThreads(blocks, threads);
}

class SameThread implements DigestPool {
  begin(names: readonly DigestName[]): DigestJob {
    const set = new DigestSet(names);
    return {
      update: (block, length) => {
        set.update(block.bytes.subarray(0, length));
        return undefined;
      },
      digest: () => Promise.resolve(set.digest()),
      cancel() {},
    };
  }

  async close(): Promise<void> {}
}

class WorkerThreads implements DigestPool {
  readonly #workers: DigestThread[];
  #jobs = 0;

  constructor(blocks: BlockPool, threads: number) {
    this.#workers = Array.from({ length: threads }, () => new DigestThread(blocks));
  }

  begin(names: readonly DigestName[]): DigestJob {
    const least = this.#workers.reduce((best, worker) => (worker.jobs < best.jobs ? worker : best));
    this.#jobs += 1;
    return least.begin(this.#jobs, names);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }
}

class DigestThread {
  readonly #worker: Worker;
  readonly #updated = new Map<number, () => void>();
  readonly #digests = new Map<number, { resolve(digests: Digests): void; reject(error: unknown): void }>();
  #failure: Error | undefined;
  jobs = 0;

  constructor(blocks: BlockPool) {
    this.#worker = new Worker(new URL('./digest-worker.js', import.meta.url));
    this.#worker.unref();
    this.#send({ type: 'memory', memory: blocks.memory, blockSize: blocks.blockSize });
    this.#worker.on('message', (reply: DigestReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
  }

  begin(job: number, names: readonly DigestName[]): DigestJob {
    this.jobs += 1;
    this.#send({ type: 'begin', job, names });
    let open = true;
    const ended = () => {
      if (open) this.jobs -= 1;
      open = false;
    };
    return {
      update: (block, length) => {
        if (this.#failure !== undefined) return Promise.reject(this.#failure);
        this.#send({ type: 'update', job, block: block.number, length });
        return new Promise((resolve) => this.#updated.set(block.number, resolve));
      },
      digest: () => {
        ended();
        if (this.#failure !== undefined) return Promise.reject(this.#failure);
        this.#send({ type: 'end', job });
        return new Promise((resolve, reject) => this.#digests.set(job, { resolve, reject }));
      },
      cancel: () => {
        ended();
        this.#send({ type: 'cancel', job });
      },
    };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(request: DigestRequest): void {
    this.#worker.postMessage(request);
  }

  #receive(reply: DigestReply): void {
    switch (reply.type) {
      case 'updated': {
        const resolve = this.#updated.get(reply.block);
        this.#updated.delete(reply.block);
        resolve?.();
        return;
      }
      case 'digests': {
        const waiting = this.#digests.get(reply.job);
        this.#digests.delete(reply.job);
        waiting?.resolve(new Map(reply.digests.map(([name, bytes]) => [name, Buffer.from(bytes)])));
      }
    }
  }

  /** A lost worker fails every body that counts on it; the next job on it fails at once. */
  #fail(error: Error): void {
    this.#failure = error;
    for (const resolve of this.#updated.values()) resolve();
    this.#updated.clear();
    for (const { reject } of this.#digests.values()) reject(error);
    this.#digests.clear();
  }
}
