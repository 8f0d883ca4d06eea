/** A piece of shared memory that a body's bytes pass through on their way to the disk and to a digest worker. */
export interface Block {
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * A fixed number of blocks bounds what all uploads together hold in memory. A block is taken only when there are bytes
 * for it, and held only while these are written and digested: a client that stalls holds none.
 */
export class BlockPool {
  readonly memory: SharedArrayBuffer;
  readonly blockSize: number;
  readonly #free: Block[] = [];
  readonly #blocks: readonly Block[];
  readonly #waiting: ((block: Block) => void)[] = [];

  constructor(blockSize: number, count: number) {
    this.blockSize = blockSize;
    this.memory = new SharedArrayBuffer(blockSize * count);
    this.#blocks = Array.from({ length: count }, (_, number) => ({
      number,
      bytes: Buffer.from(this.memory, number * blockSize, blockSize),
    }));
    this.#free.push(...this.#blocks);
  }

  take(): Block | Promise<Block> {
    const block = this.#free.pop();
    if (block !== undefined) return block;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(block: Block): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(block);
    else next(block);
  }
}
