import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { KiB } from '../core/sizes.ts';
import { smallThread } from './hash-thread.ts';

/** SHA-256 of a file that is being written. */
export interface FileDigest {
  /** Bytes from its beginning that are there; never fewer than before. */
  upTo(position: number): void;
  /** Of all bytes that there were said to be. @throws what reading the file throws */
  hex(): Promise<string>;
  close(): Promise<void>;
}

/** Bytes: what is just read shall still be in the processor's cache when it is digested. */
const BLOCK = 128 * KiB;

const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { openSync, readSync } = require('node:fs');
const hash = require('node:crypto').createHash('sha256');
const file = openSync(workerData, 'r');
const block = Buffer.allocUnsafeSlow(${BLOCK});
let position = 0;
parentPort.on('message', ({ end, last }) => {
  while (position < end) {
    const bytes = readSync(file, block, 0, Math.min(block.length, end - position), position);
    if (bytes === 0) throw new Error('the file is shorter than what was written');
    hash.update(block.subarray(0, bytes));
    position += bytes;
  }
  parentPort.postMessage(last ? hash.digest('hex') : '');
});
`;

/**
 * Digests on a thread of its own, behind the writing: on processors without SHA instructions a digest takes longer than
 * receiving the bytes does, and on the main thread the two would add up.
 */
export function digestInThread(path: string): FileDigest {
  // What it opened is closed when it ends.
  const worker = smallThread(PROGRAM, path);
  let end = 0;
  let told = 0;
  let busy = false;
  // One message at a time: those that wait for a thread which is behind would grow with the file.
  const tell = () => {
    if (busy || told === end) return;
    [busy, told] = [true, end];
    worker.postMessage({ end, last: false });
  };
  const answer = new Promise<string>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (hex: unknown) => {
      busy = false;
      if (hex === '') tell();
      else resolve(String(hex));
    });
  });
  // Whoever asks for the digest hears of a failure; until then it is no unhandled one.
  answer.catch(() => {});
  return {
    upTo(position) {
      end = position;
      tell();
    },
    hex() {
      worker.postMessage({ end, last: true });
      return answer;
    },
    async close() {
      await worker.terminate();
    },
  };
}

/** For what is soon done: a thread takes some 30 ms to start. */
export function digestLater(path: string): FileDigest {
  let end = 0;
  return {
    upTo(position) {
      end = position;
    },
    async hex() {
      const hash = createHash('sha256');
      if (end > 0) for await (const chunk of createReadStream(path, { end: end - 1 })) hash.update(chunk);
      return hash.digest('hex');
    },
    close: async () => {},
  };
}
