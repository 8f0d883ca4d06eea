import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** SHA-256 of pieces in their order. */
export interface Digester {
  /** Resolves when the piece was read: its memory may then be used again. */
  update(piece: Uint8Array<SharedArrayBuffer>): Promise<void>;
  /** Hex, once all pieces were given. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const hash = require('node:crypto').createHash('sha256');
parentPort.on('message', (piece) => parentPort.postMessage(piece === undefined ? hash.digest('hex') : hash.update(piece) && ''));
`;

/**
 * Digests on a thread of its own, from shared memory: on processors without SHA instructions a digest takes longer than
 * receiving the bytes does, and on the main thread the two would add up.
 */
export function threadDigester(): Digester {
  const worker = smallThread(PROGRAM);
  const waiting: { resolve(answer: string): void; reject(error: Error): void }[] = [];
  let failure: Error | undefined;
  worker.on('message', (answer: unknown) => waiting.shift()?.resolve(String(answer)));
  worker.on('error', (error) => {
    failure = error instanceof Error ? error : new Error(String(error));
    for (const each of waiting.splice(0)) each.reject(failure);
  });
  const ask = (message: Uint8Array<SharedArrayBuffer> | undefined) =>
    new Promise<string>((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      waiting.push({ resolve, reject });
      worker.postMessage(message);
    });
  return {
    update(piece) {
      const read = ask(piece).then(() => undefined);
      // Whoever waits for the digest hears of a failure, too.
      read.catch(() => {});
      return read;
    },
    digest: () => ask(undefined),
    async close() {
      await worker.terminate();
    },
  };
}

/**
 * A thread that allocates next to nothing, as small as one can be.
 * @param program text and not a file of its own: it is the same from `src/` and from `dist/`, and imports nothing of ours
 */
export function smallThread(program: string, workerData?: string): Worker {
  return new Worker(program, {
    eval: true,
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16, stackSizeMb: 1 },
  });
}

/** For what is soon done: a thread takes some 30 ms to start. */
export function plainDigester(): Digester {
  const hash = createHash('sha256');
  return {
    async update(piece) {
      hash.update(piece);
    },
    digest: async () => hash.digest('hex'),
    close: async () => {},
  };
}
