/** Bodies that are known by a number and a size, and are made anew to be compared. */
import { KiB, MiB } from '../../src/core/sizes.ts';

const SLICE = 64 * KiB;

const noise = ((): Buffer => {
  const block = Buffer.alloc(MiB);
  let state = 0x2545_f491;
  for (let at = 0; at < MiB; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    block.writeUInt32LE(state, at);
  }
  return block;
})();

export function contentOf(seed: number, size: number): Buffer {
  const body = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; at += SLICE) {
    const from = (seed * 7919 + (at / SLICE) * 104_729) % (MiB - SLICE);
    noise.copy(body, at, from, from + Math.min(SLICE, size - at));
  }
  return body;
}
