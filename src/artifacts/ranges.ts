import { setTimeout as sleep } from 'node:timers/promises';
import { MiB } from '../core/sizes.ts';
import { plainDigester, threadDigester } from './hash-thread.ts';
import type { Digest } from './names.ts';
import { damaged } from './read.ts';

/** Bytes `start` to `end`, both included, or fewer where the content ends before. */
export type OpenRange = (start: number, end: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

export interface RangedRead {
  readonly content: { readonly digest: Digest; readonly size: number };
  /** For messages. */
  readonly subject: string;
  readonly open: OpenRange;
  /** Whether a failure may be gone at the next attempt. */
  readonly mayPass: (error: unknown) => boolean;
  readonly signal?: AbortSignal | undefined;
}

const PIECE = 2 * MiB;
/** Ranges under way at once: one connection rarely fills a link with latency. */
export const AHEAD = 4;
/** Pieces that wait for their digest while the next one is handed out. */
const BEHIND = 1;
const ATTEMPTS = 5;

/**
 * Content in pieces of 2 MiB, several being received at once and handed out in order. A piece is the reader's until it asks
 * for the next one; its memory is then used again. The last piece comes only when length and digest are right: whoever got to
 * the end without an error has read what was pushed. A connection that breaks is taken up again where it broke.
 * @throws ArtifactError `content-damaged`, and what `open` throws
 */
export async function* readRanges(read: RangedRead): AsyncGenerator<Buffer> {
  const { content, subject, signal } = read;
  const count = Math.ceil(content.size / PIECE);
  const digester = count > 1 ? threadDigester() : plainDigester();
  const ended = new AbortController();
  const either = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
  // One byte more than the content has, so that an object that is longer shows.
  const lengthOf = (index: number) => Math.min(PIECE, content.size - index * PIECE) + (index === count - 1 ? 1 : 0);
  const free: Uint8Array<SharedArrayBuffer>[] = [];
  const underWay: Promise<Received>[] = [];
  // The digest may lag behind the writing by some pieces; their memory is used again when both are done.
  const digesting: { readonly memory: Uint8Array<SharedArrayBuffer>; readonly read: Promise<void> }[] = [];
  const release = async () => {
    const oldest = digesting.shift();
    await oldest?.read;
    if (oldest !== undefined) free.push(oldest.memory);
  };
  let begun = 0;
  const begin = () => {
    for (; begun < count && underWay.length < AHEAD; begun += 1) {
      const memory = free.pop() ?? new Uint8Array(new SharedArrayBuffer(Math.min(PIECE, content.size) + 1));
      const receiving = receive(read, begun * PIECE, lengthOf(begun), either, (chunk, before) => {
        memory.set(chunk, before);
        return undefined;
      }).then((length) => ({ memory, length }));
      // Waited for in its turn; what fails earlier than that is no unhandled failure.
      receiving.catch(() => {});
      underWay.push(receiving);
    }
  };
  try {
    for (let index = 0; index < count; index += 1) {
      begin();
      const { memory, length } = await next(underWay);
      const last = index === count - 1;
      const position = index * PIECE + length;
      const whole = last ? content.size : (index + 1) * PIECE;
      if (position > whole) throw damaged(subject, `it is longer than ${content.size} bytes`);
      if (position < whole) throw damaged(subject, `it ends after ${position} of ${content.size} bytes`);
      digesting.push({ memory, read: digester.update(memory.subarray(0, length)) });
      // Before the last piece is handed out; a piece that failed to be digested fails there, too.
      if (last) requireDigest(await digester.digest(), content.digest, subject);
      yield Buffer.from(memory.buffer, 0, length);
      if (digesting.length > BEHIND) await release();
    }
    if (count === 0) requireDigest(await digester.digest(), content.digest, subject);
  } finally {
    ended.abort();
    await Promise.allSettled(underWay);
    await digester.close();
  }
}

interface Received {
  readonly memory: Uint8Array<SharedArrayBuffer>;
  /** Bytes; fewer than asked for where the content ends before. */
  readonly length: number;
}

async function next(underWay: Promise<Received>[]): Promise<Received> {
  const first = underWay.shift();
  if (first === undefined) throw new TypeError('a piece is missing');
  return first;
}

/**
 * Receives up to `length` bytes from `start` on. `take` gets them in order, with the number of those before, and the connection
 * waits for it; its failures are never tried again.
 * @returns bytes received: fewer than asked for where the content ends before
 */
export async function receive(
  { open, mayPass }: Pick<RangedRead, 'open' | 'mayPass'>,
  start: number,
  length: number,
  signal: AbortSignal,
  take: (chunk: Uint8Array, before: number) => Promise<void> | undefined,
): Promise<number> {
  let received = 0;
  let taking = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const chunk of await open(start + received, start + length - 1, signal)) {
        signal.throwIfAborted();
        if (chunk.length === 0) continue;
        attempt = 1;
        // Read to its end even when there is more than asked for: what is left early costs its connection.
        const wanted = chunk.subarray(0, length - received);
        const before = received;
        received += wanted.length;
        taking = true;
        const taken = take(wanted, before);
        if (taken !== undefined) await taken;
        taking = false;
      }
      return received;
    } catch (error) {
      if (taking || attempt >= ATTEMPTS || signal.aborted || !mayPass(error)) throw error;
      await sleep(200 * 2 ** attempt, undefined, { signal });
    }
  }
}

export function requireDigest(hex: string, wanted: Digest, subject: string): void {
  const found = `sha256:${hex}`;
  if (found !== wanted) throw damaged(subject, `its digest is ${found}`);
}
