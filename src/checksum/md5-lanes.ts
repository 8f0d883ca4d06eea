import { BLOCK, compileMd5, LANE_BYTES, LANES, type Md5Kernel } from './md5-kernel.ts';

const INITIAL = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];

/** One message on its way through the lanes. */
export class Md5Message {
  /** The state after all whole blocks so far. */
  readonly words = Uint32Array.from(INITIAL);
  /** What did not fill a block yet. */
  readonly rest = new Uint8Array(BLOCK);
  restLength = 0;
  length = 0;
}

export interface Md5Piece {
  readonly message: Md5Message;
  readonly bytes: Uint8Array;
}

interface Lane {
  readonly piece: Md5Piece;
  at: number;
}

/** Hashes pieces of several messages, four messages at a time. One for each thread. */
export class Md5Lanes {
  readonly #kernel: Md5Kernel = compileMd5();

  /** Takes in all pieces; those of one message in their order. */
  update(pieces: readonly Md5Piece[]): void {
    const queue = [...pieces];
    let lanes: Lane[] = [];
    for (;;) {
      // A message is in one lane at most: its next piece needs the state that this one leaves.
      while (lanes.length < LANES) {
        const next = queue.findIndex(({ message }) => isFree(message, lanes));
        const [piece] = next === -1 ? [] : queue.splice(next, 1);
        if (piece === undefined) break;
        piece.message.length += piece.bytes.length;
        lanes.push({ piece, at: 0 });
      }
      if (lanes.length === 0) return;
      const able = lanes.filter((lane) => wholeBlocks(lane) > 0);
      for (const lane of lanes) if (!able.includes(lane)) keepRest(lane);
      lanes = able;
      // A free lane is filled first: all four cost the same as one.
      if (lanes.length === LANES || queue.length === 0 || !queue.some(({ message }) => isFree(message, lanes))) {
        if (lanes.length > 0) this.#step(lanes);
      }
    }
  }

  /** The digest of the whole message, which must not be used any more. */
  digest(message: Md5Message): Buffer {
    const { length, restLength } = message;
    const padding = Buffer.alloc((restLength < BLOCK - 8 ? BLOCK : 2 * BLOCK) - restLength);
    padding[0] = 0x80;
    padding.writeBigUInt64LE((BigInt(length) * 8n) & 0xffff_ffff_ffff_ffffn, padding.length - 8);
    this.update([{ message, bytes: padding }]);
    const digest = Buffer.alloc(4 * message.words.length);
    message.words.forEach((word, at) => {
      digest.writeUInt32LE(word, 4 * at);
    });
    return digest;
  }

  /** As many blocks as every lane has. */
  #step(lanes: readonly Lane[]): void {
    const bytes = Math.min(LANE_BYTES, ...lanes.map(wholeBlocks));
    const { state, lanes: memory, run } = this.#kernel;
    for (const [number, lane] of lanes.entries()) {
      const { message } = lane.piece;
      const fresh = bytes - message.restLength;
      const target = memory[number];
      target?.set(message.rest.subarray(0, message.restLength));
      target?.set(lane.piece.bytes.subarray(lane.at, lane.at + fresh), message.restLength);
      lane.at += fresh;
      message.restLength = 0;
      message.words.forEach((word, at) => {
        state[LANES * at + number] = word;
      });
    }
    run(bytes);
    for (const [number, { piece }] of lanes.entries()) {
      const { words } = piece.message;
      for (let at = 0; at < words.length; at += 1) words[at] = state[LANES * at + number] ?? 0;
    }
  }
}

/** Bytes of whole blocks that a lane can give now. */
function wholeBlocks({ piece: { message, bytes }, at }: Lane): number {
  const there = message.restLength + bytes.length - at;
  return there - (there % BLOCK);
}

function isFree(message: Md5Message, lanes: readonly Lane[]): boolean {
  return lanes.every((lane) => lane.piece.message !== message);
}

/** The end of a piece, less than a block, waits for the next one. */
function keepRest({ piece: { message, bytes }, at }: Lane): void {
  message.rest.set(bytes.subarray(at), message.restLength);
  message.restLength += bytes.length - at;
}
