import type { IncomingMessage } from 'node:http';
import { KiB, MiB } from '../core/sizes.ts';
import { S3Error } from './errors.ts';

/** Bytes that all large uploads together may have waiting for the store before their sockets are told to stop. */
const ALL_WAITING = 8 * MiB;
/** Bounds of one upload's share: a pause costs more than it saves below, and brings nothing above. */
const LEAST_WAITING = 64 * KiB;
const MOST_WAITING = 512 * KiB;

/** Uploads being read at this moment. */
let active = 0;

function highWater(): number {
  return Math.min(MOST_WAITING, Math.max(LEAST_WAITING, ALL_WAITING / active));
}

/**
 * A request's body as it arrives, for large uploads. Node's own iterator wakes through a `readable` event for each chunk;
 * here what has arrived is handed on at once, and the socket pauses only when the store falls behind.
 */
export class RequestChunks implements AsyncIterableIterator<Buffer> {
  readonly #req: IncomingMessage;
  readonly #queue: Buffer[] = [];
  #queued = 0;
  #begun = false;
  #ended = false;
  #attached = false;
  #failure: S3Error | undefined;
  #waiting: { resolve(result: IteratorResult<Buffer>): void; reject(error: S3Error): void } | undefined;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  /**
   * Only when somebody wants the body: a request that is refused before leaves it to node:http, which reads it away so
   * that the connection can be used again.
   */
  #attach(): void {
    const req = this.#req;
    this.#attached = true;
    active += 1;
    req.on('data', this.#onData);
    req.on('end', this.#onEnd);
    req.on('error', this.#onCut);
    req.on('close', this.#onCut);
    // Gone before anybody listened: no event will tell.
    if (req.destroyed && !req.readableEnded) this.#onCut();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws S3Error `IncompleteBody` when the client went away */
  next(): Promise<IteratorResult<Buffer>> {
    if (!this.#begun) {
      this.#begun = true;
      this.#attach();
    }
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queued -= chunk.length;
      if (this.#queued < highWater() && this.#req.isPaused()) this.#req.resume();
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Leaving early keeps the connection, so that an error can still be answered; what is left of the body is dropped. */
  return(): Promise<IteratorResult<Buffer>> {
    this.#detach();
    this.#ended = true;
    this.#queue.length = 0;
    this.#req.resume();
    return Promise.resolve({ value: undefined, done: true });
  }

  readonly #onData = (chunk: Buffer): void => {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ value: chunk, done: false });
      return;
    }
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued >= highWater()) this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.#detach();
    this.#ended = true;
    this.#waiting?.resolve({ value: undefined, done: true });
    this.#waiting = undefined;
  };

  /** Closed or broken before the end: node:http emits `close` after every end as well, but then nobody listens. */
  readonly #onCut = (cause?: unknown): void => {
    this.#detach();
    this.#failure = new S3Error('IncompleteBody', undefined, { cause });
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  };

  #detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    active -= 1;
    this.#req.off('data', this.#onData);
    this.#req.off('end', this.#onEnd);
    this.#req.off('close', this.#onCut);
    // A late error of a connection that is gone anyway must not end the process.
    this.#req.off('error', this.#onCut);
    this.#req.on('error', () => undefined);
  }
}
