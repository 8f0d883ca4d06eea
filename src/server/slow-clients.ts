import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../core/logger.ts';

export interface SlownessLimits {
  /** Milliseconds over which a client's rate is looked at. */
  readonly idleTimeout: number;
  /** Bytes a second that a client has to send of its body, or take of its answer, on average over that time. */
  readonly leastRate: number;
}

interface Watched {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Where the time that is looked at began, and what the connection had moved by then. */
  since: number;
  moved: number;
}

/** Looks at each request so many times within the time allowed. */
const LOOKS = 6;

/**
 * Ends requests that a client keeps alive with a trickle: a byte now and then is no silence, but holds a place among the
 * requests under way for hours. Only time that waits for the client counts.
 */
export class SlowClients {
  readonly #limits: SlownessLimits;
  readonly #logger: Logger;
  readonly #watched = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: SlownessLimits, logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
    this.#timer = setInterval(() => this.#look(), limits.idleTimeout / LOOKS);
    this.#timer.unref();
  }

  watch(req: IncomingMessage, res: ServerResponse): void {
    const watched = { req, res, since: Number.NaN, moved: 0 };
    this.#watched.add(watched);
    res.once('close', () => this.#watched.delete(watched));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const { idleTimeout, leastRate } = this.#limits;
    for (const watched of this.#watched) {
      const { req, res, since } = watched;
      const { socket } = req;
      const moved = socket.bytesRead + socket.bytesWritten;
      if (Number.isNaN(since) || !waitsForClient(req, res)) {
        watched.since = now;
        watched.moved = moved;
      } else if (now - since >= idleTimeout) {
        if (moved - watched.moved < (leastRate * (now - since)) / 1000) this.#cut(watched, moved - watched.moved);
        watched.since = now;
        watched.moved = moved;
      }
    }
  }

  #cut({ req }: Watched, bytes: number): void {
    const { remoteAddress } = req.socket;
    this.#logger.warn(
      { client: remoteAddress, method: req.method, bytes },
      'cut off a client that sends or takes too little',
    );
    req.socket.destroy();
  }
}

/** Either more of the body may come, and we have not told the connection to stop; or part of the answer was not taken. */
function waitsForClient(req: IncomingMessage, res: ServerResponse): boolean {
  if (!req.complete) return req.readableFlowing === true;
  return res.writableLength > 0;
}
