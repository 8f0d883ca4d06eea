import { MiB } from '../../src/core/sizes.ts';
import type { Sink } from './socket.ts';

/**
 * Bodies are blocks of 1 MiB of fixed noise, each stamped with its number, so that missing, doubled and swapped blocks
 * all show and nothing of the body has to be kept to check it.
 */
const blockBytes = MiB;

const noise = ((): Buffer => {
  const block = Buffer.allocUnsafeSlow(blockBytes);
  // A small linear generator: fast, the same in every process, and it does not compress.
  let state = 0x2545_f491;
  for (let at = 0; at < blockBytes; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    block.writeUInt32LE(state, at);
  }
  return block;
})();

const stamp = (block: Buffer, index: number): void => {
  block.writeUInt32LE(index, 0);
};

/** A whole body in memory; for sizes that are sent many times. */
export function bodyOf(bytes: number): Buffer {
  const body = Buffer.allocUnsafeSlow(bytes);
  for (let at = 0, index = 0; at < bytes; at += blockBytes, index += 1) {
    const block = body.subarray(at, Math.min(at + blockBytes, bytes));
    noise.copy(block);
    stamp(block, index);
  }
  return body;
}

/** The same body block by block, in one buffer that is used again: a block must be sent before the next is asked for. */
export async function* streamedBody(bytes: number): AsyncGenerator<Buffer> {
  const block = Buffer.from(noise);
  for (let at = 0, index = 0; at < bytes; at += blockBytes, index += 1) {
    stamp(block, index);
    yield block.subarray(0, Math.min(blockBytes, bytes - at));
  }
}

/**
 * A sink that compares every byte with the body of that size.
 * @param period size of the body that was sent over and over, as multipart sends the same part; default: all of it
 */
export function checkBody(bytes: number, period = bytes): { readonly sink: Sink; isWhole(): boolean } {
  const expected = Buffer.from(noise);
  let at = 0;
  let same = true;
  const sink: Sink = (chunk) => {
    for (let from = 0; from < chunk.length; ) {
      const offset = at % blockBytes;
      if (offset === 0) stamp(expected, (at % period) / blockBytes);
      const count = Math.min(chunk.length - from, blockBytes - offset);
      if (expected.compare(chunk, from, from + count, offset, offset + count) !== 0) same = false;
      from += count;
      at += count;
    }
  };
  return { sink, isWhole: () => same && at === bytes };
}
